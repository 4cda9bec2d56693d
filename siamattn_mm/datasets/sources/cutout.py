"""Objects cut out of their images, to be pasted into others.

A cut-out is one (H, W, 4) uint8 array: blue, green, red, and alpha, which is
255 inside and 0 outside, and 0 all along the border.
"""
import math
from typing import Optional, Tuple

import cv2
import numpy as np

from .base import Frame


def cut_out(frame: Frame,
            max_size: float = math.inf) -> Optional[np.ndarray]:
    """Cut an object out of its image.

    Args:
        frame (Frame): The object, with a mask.
        max_size (float): It is shrunk to this square root of width times
            height if it is larger. Defaults to infinity.

    Returns:
        ndarray | None: (H, W, 4) uint8, or None if the mask is empty.
    """
    # The outermost pixels are a mixture with the old background.
    mask = cv2.erode(frame.mask, np.ones((3, 3), np.uint8),
                     borderType=cv2.BORDER_CONSTANT, borderValue=1)
    if not mask.any():
        mask = frame.mask
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return None
    inside = np.s_[y:y + height, x:x + width]
    cutout = np.dstack([frame.img[inside], mask[inside] * np.uint8(255)])
    cutout = cv2.copyMakeBorder(cutout, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    zoom = max_size / math.sqrt(width * height)
    if zoom < 1:
        return _shrink(cutout, zoom)
    return _clear_border(cutout, 2)


def place_cutout(cutout: np.ndarray,
                 centre: Tuple[float, float],
                 size: float,
                 canvas_size: Tuple[int, int],
                 angle: float = 0.,
                 stretch: float = 1.,
                 flip: bool = False,
                 wave: Tuple[float, float, float] = (0., 1., 0.),
                 gain: float = 1.) -> Tuple[np.ndarray, Tuple[int, int]]:
    """Move, scale, turn and deform a cut-out.

    Args:
        cutout (ndarray): (H, W, 4) uint8 object.
        centre (tuple[float, float]): Where its middle goes, x, y in pixels of
            the canvas.
        size (float): Square root of its new width times height.
        canvas_size (tuple[int, int]): Width and height of the canvas.
        angle (float): Turn in degrees. Defaults to 0.
        stretch (float): Factor of the ratio of width to height. Defaults
            to 1.
        flip (bool): Mirror left and right. Defaults to False.
        wave (tuple[float, float, float]): Bends the object sideways:
            amplitude as a share of its width, number of waves along its
            height, and phase. Defaults to (0, 1, 0): not at all.
        gain (float): Factor of its brightness. Defaults to 1.

    Returns:
        tuple[ndarray, tuple[int, int]]: (h, w, 4) uint8 object as it appears,
        cut at the canvas' border, and x, y of its top left pixel on the
        canvas. h or w is 0 if all of it is outside.
    """
    height, width = cutout.shape[:2]
    zoom = size / math.sqrt(width * height)
    if zoom < 0.5:
        # Bilinear interpolation alone would skip pixels.
        cutout = _shrink(cutout, zoom * 1.5)
    if wave[0]:
        cutout = _bend(cutout, *wave)
    new_size = (width * zoom * math.sqrt(stretch),
                height * zoom / math.sqrt(stretch))
    matrix = _placement(cutout.shape[1::-1], new_size, centre, angle, flip)
    low, high = _extent(matrix, cutout.shape[1::-1], canvas_size)
    if min(high - low) <= 0:
        return np.zeros((0, 0, 4), np.uint8), (0, 0)
    matrix[:, 2] -= low
    # From pixel edges to the pixel centres that warpAffine counts at.
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    if gain != 1:
        table = np.arange(256)[:, None] * np.array([gain, gain, gain, 1])
        cutout = cv2.LUT(cutout, table.clip(0, 255).astype(np.uint8)[None])
    # The border's alpha is 0, so what is replicated is not seen.
    placed = cv2.warpAffine(
        cutout,
        matrix,
        tuple(int(v) for v in high - low),
        borderMode=cv2.BORDER_REPLICATE)
    return placed, (int(low[0]), int(low[1]))


def blur_placed(placed: np.ndarray, corner: Tuple[int, int],
                move: Tuple[float, float], canvas_size: Tuple[int, int]
                ) -> Tuple[np.ndarray, Tuple[int, int]]:
    """Blur an object that moves while the picture is taken.

    Args:
        placed (ndarray): (h, w, 4) uint8 from :func:`place_cutout`.
        corner (tuple[int, int]): Its top left pixel, x, y.
        move (tuple[float, float]): How far it moves, x, y in pixels. It is
            where it was placed at half of the time.
        canvas_size (tuple[int, int]): Width and height of the canvas.

    Returns:
        tuple[ndarray, tuple[int, int]]: As :func:`place_cutout`; alpha is the
        share of the time that the object is there.
    """
    # Odd sides, so that the middle stays where it is.
    pad_x, pad_y = (math.ceil(abs(v) / 2) for v in move)
    if not placed.size or pad_x + pad_y == 0:
        return placed, corner
    kernel = np.zeros((2 * pad_y + 1, 2 * pad_x + 1), np.float32)
    half = np.array(move) / 2
    # Line ends in 1/16 of a pixel.
    start, end = (tuple(int(round(16 * v)) for v in
                        (pad_x + sign * half[0], pad_y + sign * half[1]))
                  for sign in (-1, 1))
    cv2.line(kernel, start, end, 1., 1, cv2.LINE_AA, shift=4)
    # What is cut off at the canvas' border goes on outside; elsewhere alpha
    # is 0 at the border.
    padded = cv2.copyMakeBorder(placed, pad_y, pad_y, pad_x, pad_x,
                                cv2.BORDER_REPLICATE).astype(np.float32)
    # Only what is inside shines.
    padded[..., :3] *= padded[..., 3:] / 255
    padded = cv2.filter2D(padded, -1, kernel / kernel.sum(),
                          borderType=cv2.BORDER_REPLICATE)
    padded[..., :3] *= 255 / np.maximum(padded[..., 3:], 1)
    padded = padded.round().clip(0, 255).astype(np.uint8)
    low = np.array(corner) - (pad_x, pad_y)
    first = np.maximum(-low, 0)
    last = np.minimum(np.array(canvas_size) - low, padded.shape[1::-1])
    return (padded[first[1]:last[1], first[0]:last[0]],
            tuple(int(v) for v in low + first))


def paste(canvas: np.ndarray, placed: np.ndarray,
          corner: Tuple[int, int]) -> None:
    """Draw a placed cut-out on a canvas.

    Args:
        canvas (ndarray): (H, W, 3) uint8, changed in place.
        placed (ndarray): (h, w, 4) uint8 from :func:`place_cutout`.
        corner (tuple[int, int]): Its top left pixel, x, y.
    """
    if not placed.size:
        return
    height, width = placed.shape[:2]
    region = canvas[corner[1]:corner[1] + height,
                    corner[0]:corner[0] + width]
    # A soft edge of about a pixel, as a camera would see it.
    alpha = cv2.blur(placed[..., 3], (3, 3))[..., None].astype(np.uint16)
    region[...] = (placed[..., :3] * alpha + region *
                   (255 - alpha) + 127) // 255


def tight_bbox(mask: np.ndarray) -> Optional[np.ndarray]:
    """The box around a mask.

    Args:
        mask (ndarray): (H, W) uint8, 1 inside, 0 outside.

    Returns:
        ndarray | None: (4,) float32 x, y, w, h, or None if it is empty.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return None
    return np.array([x, y, width, height], dtype=np.float32)


def _shrink(cutout: np.ndarray, zoom: float) -> np.ndarray:
    size = tuple(max(round(side * zoom), 4) for side in cutout.shape[1::-1])
    return _clear_border(
        cv2.resize(cutout, size, interpolation=cv2.INTER_AREA), 1)


def _clear_border(cutout: np.ndarray, width: int) -> np.ndarray:
    alpha = cutout[..., 3]
    alpha[:width] = alpha[-width:] = 0
    alpha[:, :width] = alpha[:, -width:] = 0
    return cutout


def _bend(cutout: np.ndarray, amplitude: float, waves: float,
          phase: float) -> np.ndarray:
    height, width = cutout.shape[:2]
    rows = np.arange(height, dtype=np.float32)
    shift = amplitude * width * np.sin(2 * np.pi *
                                       (waves * rows / height + phase))
    # Room at both sides for what moves there.
    pad = math.ceil(amplitude * width)
    columns = np.arange(-pad, width + pad, dtype=np.float32)
    map_x = columns[None] + shift[:, None].astype(np.float32)
    map_y = np.repeat(rows[:, None], len(columns), axis=1)
    return cv2.remap(cutout, map_x, map_y, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def _placement(old_size: Tuple[int, int], new_size: Tuple[float, float],
               centre: Tuple[float, float], angle: float,
               flip: bool) -> np.ndarray:
    """(2, 3) from a cut-out to the canvas, both counted at pixel edges."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    scale = np.array([new_size[0] / old_size[0] * (-1 if flip else 1),
                      new_size[1] / old_size[1]])
    linear = np.array([[cos, -sin], [sin, cos]]) * scale
    offset = np.asarray(centre) - linear @ (np.array(old_size) / 2)
    return np.concatenate([linear, offset[:, None]], axis=1)


def _extent(matrix: np.ndarray, size: Tuple[int, int],
            canvas_size: Tuple[int, int]) -> Tuple[np.ndarray, np.ndarray]:
    """(2,) first pixel on the canvas, and (2,) the one after the last."""
    width, height = size
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height],
                                 [1, 1, 1, 1]])
    low = np.floor(corners.min(axis=1)).astype(int).clip(0, canvas_size)
    high = np.ceil(corners.max(axis=1)).astype(int).clip(0, canvas_size)
    return low, high
