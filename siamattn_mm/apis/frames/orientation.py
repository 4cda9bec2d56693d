"""Turning a picture as the video says it is to be shown."""
from typing import Optional

import av
import numpy as np

_IDENTITY = (1, 0, 0, 1)


def display_matrix(frame: av.VideoFrame) -> tuple:
    """How a decoded frame is to be turned.

    Args:
        frame (av.VideoFrame): Decoded.

    Returns:
        tuple[int, int, int, int]: a, b, c, d, each -1, 0 or 1: what is at x,
        y is shown at a x + c y, b x + d y (then moved into the picture).
        Angles between the quarters count as the next quarter.
    """
    for data in frame.side_data:
        kind: Optional[object] = getattr(data, 'type', None)
        if getattr(kind, 'name', None) == 'DISPLAYMATRIX':
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
            if abs(a) + abs(d) >= abs(b) + abs(c):
                # All zeros is no orientation at all.
                return (-1 if a < 0 else 1), 0, 0, (-1 if d < 0 else 1)
            return 0, (-1 if b < 0 else 1), (-1 if c < 0 else 1), 0
    return _IDENTITY


def upright(image: np.ndarray, matrix: tuple) -> np.ndarray:
    """Turn and mirror a picture.

    Args:
        image (np.ndarray): (H, W, ...), as it is stored.
        matrix (tuple): Of :func:`display_matrix`.

    Returns:
        np.ndarray: (H, W, ...) or (W, H, ...), contiguous.
    """
    if matrix == _IDENTITY:
        return image
    a, b, c, d = matrix
    if b:
        image = image.swapaxes(0, 1)
    if a + c < 0:
        image = image[:, ::-1]
    if b + d < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)
