"""Training pairs for timing, made by rule."""
from typing import List, Optional

import cv2
import numpy as np

from siamattn_mm.datasets.transforms import PackSOTPair

# As many as in training, and of the pairs with the target, about as many.
NEGATIVE_EVERY = 5
MASK_EVERY = 2
EXEMPLAR_SIZE, SEARCH_SIZE = 127, 255


def synthetic_pairs(num: int, seed: int = 0) -> List[dict]:
    """Pairs of textured crops, as a pipeline with ``PackSOTPair`` gives them.

    Every fifth is of two objects, every second has masks (ellipses).

    Args:
        num (int): How many.
        seed (int): Decides textures and boxes. Defaults to 0.

    Returns:
        list[dict]: ``inputs`` and ``data_samples`` each.
    """
    rng = np.random.default_rng(seed)
    pack = PackSOTPair()
    return [pack.transform(_pair(rng, i)) for i in range(num)]


def _pair(rng: np.random.Generator, index: int) -> dict:
    label = int(index % NEGATIVE_EVERY != NEGATIVE_EVERY - 1)
    sizes = (EXEMPLAR_SIZE, SEARCH_SIZE)
    extent = rng.uniform(40, 100, 2)
    centres = (np.full(2, 63.), 127 + rng.uniform(-50, 50, 2))
    boxes = [
        np.concatenate([c - extent / 2, c + extent / 2]).clip(0, size - 1)
        for c, size in zip(centres, sizes)
    ]
    return dict(
        img=[_texture(rng, size, box) for size, box in zip(sizes, boxes)],
        gt_bboxes=[box[None].astype(np.float32) for box in boxes],
        gt_bboxes_labels=[np.array([label])] * 2,
        gt_masks=[
            _ellipse(size, box) if index % MASK_EVERY == 0 else None
            for size, box in zip(sizes, boxes)
        ],
        source='synthetic',
        sample_id=(0, 0, index))


def _texture(rng: np.random.Generator, size: int,
             box: np.ndarray) -> np.ndarray:
    """A coarse texture, with another one in the box."""
    left, top, right, bottom = box.astype(int)

    def patch(width: int, height: int) -> np.ndarray:
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        return cv2.resize(coarse, (width, height))

    img = patch(size, size)
    img[top:bottom, left:right] = patch(right - left, bottom - top)
    return img


def _ellipse(size: int, box: np.ndarray) -> Optional[np.ndarray]:
    mask = np.zeros((size, size), np.uint8)
    centre, axes = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    cv2.ellipse(mask, centre.astype(int).tolist(), axes.astype(int).tolist(),
                0, 0, 360, 1, -1)
    return mask
