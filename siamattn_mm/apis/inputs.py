"""Frames and boxes that a tracker takes."""
from typing import Sequence, Tuple

import numpy as np

from siamattn_mm.models.trackers import xywh_of

# Of a box against the frame's longer side. Windows are cut around the box, so
# that a slip of the keyboard would take all memory.
MAX_RELATIVE_SIZE = 4


def check_frame(frame: np.ndarray) -> None:
    """Refuse what is not a colour frame.

    Args:
        frame (np.ndarray): To be (H, W, 3) uint8.

    Raises:
        TypeError: If it is not a uint8 array.
        ValueError: If its shape is not (H, W, 3), or a side is less than 2.
    """
    if not isinstance(frame, np.ndarray):
        raise TypeError('a frame is a numpy array of shape (H, W, 3), but got '
                        f'{type(frame).__name__}')
    if frame.dtype != np.uint8:
        raise TypeError('a frame holds BGR values 0..255 as uint8, but got '
                        f'{frame.dtype}: convert it with .astype("uint8") '
                        'after scaling to 0..255')
    hint = ''
    if frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 1):
        hint = ': turn grey into colour with cv2.COLOR_GRAY2BGR'
    elif frame.ndim == 3 and frame.shape[2] == 4:
        hint = ': drop the alpha channel with frame[..., :3]'
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError('a frame has shape (H, W, 3), BGR, but got '
                         f'{frame.shape}{hint}')
    if min(frame.shape) < 2:
        raise ValueError('a frame has at least 2x2 pixels, but got '
                         f'{frame.shape[1]}x{frame.shape[0]}')


def check_bbox(bbox: Sequence[float],
               frame_shape: Tuple[int, ...]) -> np.ndarray:
    """Refuse a box that no target can have.

    Args:
        bbox (Sequence[float]): x, y, w, h or 8 numbers of a polygon.
        frame_shape (tuple[int, ...]): (H, W, ...).

    Returns:
        np.ndarray: (4,) float64, x, y, w, h.

    Raises:
        ValueError: If it is not 4 or 8 finite numbers, has no area or less
            than a pixel's (a share of the frame, 0..1), lies outside the
            frame, or is more than ``MAX_RELATIVE_SIZE`` times as large.
    """
    try:
        box = np.asarray(bbox, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(f'bbox must be numbers, but got {bbox!r}') from error
    if box.size not in (4, 8) or not np.isfinite(box).all():
        raise ValueError('bbox must be 4 finite numbers x, y, w, h, or the 8 '
                         f'of a polygon, but got {bbox!r}')
    extent = box[2:]
    if box.size == 8:
        px, py = box.reshape(4, 2).T
        # The shoelace formula.
        if not abs(px @ np.roll(py, 1) - py @ np.roll(px, 1)) > 0:
            raise ValueError('bbox has no area: the corners of the polygon '
                             f'{bbox!r} lie on a line')
        extent = np.array([np.ptp(px), np.ptp(py)])
    if min(extent) <= 0:
        raise ValueError('bbox has no area: width and height must be '
                         f'positive, but got {bbox!r}')
    height, width = frame_shape[:2]
    # All of the frame is 0, 0, 1, 1 as shares; of four pixels it is one.
    share = box.min() >= 0 and box.max() <= 1 and max(height, width) > 2
    if max(extent) < 1 or share:
        raise ValueError(
            f'bbox {bbox!r} is smaller than a pixel: x, y, width and height '
            'are asked for in pixels, not as shares of the frame, which is '
            f'{width}x{height}')
    x, y, w, h = box = xywh_of(box) if box.size == 8 else box
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ValueError(f'bbox {bbox!r} lies outside the frame of '
                         f'{width}x{height} pixels')
    if max(w, h) > MAX_RELATIVE_SIZE * max(width, height):
        raise ValueError(
            f'bbox {bbox!r} is more than {MAX_RELATIVE_SIZE} times as large '
            f'as the frame of {width}x{height} pixels')
    return box
