"""Cutting square windows out of an image, as SiamFC and its followers do."""
from typing import Sequence, Tuple

import cv2
import numpy as np


def context_side(w: float, h: float, context_amount: float = 0.5) -> float:
    """Side of the square that holds a target with its context.

    Args:
        w (float): Target width in pixels.
        h (float): Target height in pixels.
        context_amount (float): Share of the mean side that is added on each
            side. Defaults to 0.5.

    Returns:
        float: In pixels; the template crop covers it.
    """
    context = context_amount * (w + h)
    return float(np.sqrt((w + context) * (h + context)))


def window_corner(cx: float, cy: float, side: int) -> Tuple[int, int]:
    """First pixel of the window around a centre.

    Args:
        cx (float): Centre, in pixels.
        cy (float): Centre, in pixels.
        side (int): Side of the window, in pixels.

    Returns:
        tuple[int, int]: x, y of the window's top-left pixel; may be negative.
    """
    half = (side + 1) / 2
    return int(np.floor(cx - half + 0.5)), int(np.floor(cy - half + 0.5))


def crop_image(image: np.ndarray, centre: Sequence[float], side: int,
               out_size: int, pad_value: Sequence[float]) -> np.ndarray:
    """Cut a square window out and resize it.

    Only pixels of the window are touched, however large the image is.

    Args:
        image (np.ndarray): (H, W, 3) uint8.
        centre (Sequence[float]): x, y in pixels.
        side (int): Side of the window in image pixels.
        out_size (int): Side of the result.
        pad_value (Sequence[float]): Per channel, for pixels outside the
            image; truncated to uint8.

    Returns:
        np.ndarray: (out_size, out_size, 3) uint8.
    """
    height, width = image.shape[:2]
    x, y = window_corner(centre[0], centre[1], side)
    left, top = max(0, -x), max(0, -y)
    right, bottom = max(0, x + side - width), max(0, y + side - height)
    window = image[max(0, y):max(0, y + side), max(0, x):max(0, x + side)]
    if left or top or right or bottom:
        value = np.asarray(pad_value).astype(np.uint8).tolist()
        if not window.size:  # the window lies outside of the image
            left, top, right, bottom = side - 1, side - 1, 0, 0
            window = np.array([[value]], np.uint8)
        window = cv2.copyMakeBorder(window, top, bottom, left, right,
                                    cv2.BORDER_CONSTANT, value=value)
    if side == out_size:
        return np.ascontiguousarray(window)
    return cv2.resize(window, (out_size, out_size))
