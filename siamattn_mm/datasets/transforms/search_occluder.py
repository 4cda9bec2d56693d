"""Search crops in which something hides a part of the target."""
from typing import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SearchOccluder(BaseTransform):
    """Lay another part of the search crop over a part of the target.

    The box stays the whole target's, as annotators draw it; the mask loses
    what is hidden. Negative pairs stay as they are.

    Required Keys: rng, img, gt_bboxes (x1, y1, x2, y2 in the crop),
    gt_bboxes_labels, gt_masks

    Modified Keys: img, gt_masks

    Args:
        prob (float): Probability for a pair. Defaults to 0.15.
        size (Sequence[float]): Smallest and largest side of what hides the
            target, in sides of the target. Defaults to (0.2, 0.6).

    Raises:
        ValueError: If ``size`` is not a pair.
    """

    def __init__(self,
                 prob: float = 0.15,
                 size: Sequence[float] = (0.2, 0.6)) -> None:
        if len(size) != 2:
            raise ValueError(f'size needs two values, but got {size}')
        self.prob = prob
        self.size = tuple(size)

    def transform(self, results: dict) -> dict:
        """Hide a part of some targets.

        Args:
            results (dict): A pair of crops, see the class.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        if rng.random() >= self.prob or not results['gt_bboxes_labels'][1][0]:
            return results
        img = results['img'][1].copy()
        side = np.array(img.shape[1::-1])
        x1, y1, x2, y2 = results['gt_bboxes'][1][0].clip(0)
        target = np.array([x2 - x1, y2 - y1])
        size = (target * rng.uniform(*self.size, 2)).astype(int).clip(2)
        # Anywhere that covers some of the target.
        to = (np.array([x1, y1]) - size / 2 +
              rng.uniform(0, 1, 2) * target).astype(int)
        to = to.clip(0, np.maximum(side - size, 0))
        size = np.minimum(size, side - to)
        source = rng.integers(0, side - size + 1)
        (sx, sy), (tx, ty), (w, h) = source, to, size
        patch = img[sy:sy + h, sx:sx + w].copy()
        shape = np.ones((h, w), np.uint8)
        if rng.random() < 0.5:
            shape[:] = 0
            cv2.ellipse(shape, (w // 2, h // 2), (w // 2, h // 2), 0, 0, 360,
                        1, -1)
        hidden = shape > 0
        img[ty:ty + h, tx:tx + w][hidden] = patch[hidden]
        results['img'][1] = img
        mask = results['gt_masks'][1]
        if mask is not None:
            results['gt_masks'][1] = mask = mask.copy()
            mask[ty:ty + h, tx:tx + w][hidden] = 0
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'size={self.size})')
