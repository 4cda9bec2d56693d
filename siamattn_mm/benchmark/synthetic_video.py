"""Frames for timing, where no video is given."""
from typing import List, Tuple

import cv2
import numpy as np

Box = Tuple[float, float, float, float]


def synthetic_video(width: int,
                    height: int,
                    num_frames: int,
                    seed: int = 0) -> Tuple[List[np.ndarray], Box]:
    """A textured target that moves over a textured background.

    Args:
        width (int): Of the frames, in pixels; 16 or more.
        height (int): Of the frames, in pixels; 16 or more.
        num_frames (int): Number of frames.
        seed (int): Decides the textures. Defaults to 0.

    Returns:
        tuple[list[np.ndarray], tuple]: (height, width, 3) uint8 frames, and
        the target's x, y, w, h in the first one.
    """
    rng = np.random.default_rng(seed)

    def texture(w: int, h: int, cells: int) -> np.ndarray:
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        return cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)

    background = texture(width, height, 12)
    w, h = max(4, width // 6), max(4, height // 4)
    target = texture(w, h, 5)
    x, y = (width - w) // 2, (height - h) // 2
    frames = []
    for i in range(num_frames):
        # A slow circle, so that the target never leaves the picture.
        left = x + int(round(width / 8 * np.sin(i / 15)))
        top = y + int(round(height / 8 * (1 - np.cos(i / 15))))
        frame = background.copy()
        frame[top:top + h, left:left + w] = target
        frames.append(frame)
    return frames, (float(x), float(y), float(w), float(h))
