"""A tracker's result, drawn over its frame."""
from typing import Optional, Sequence

import cv2
import numpy as np

from siamattn_mm.apis.tracker import Result

# BGR: light orange, magenta and light blue, rare in photographs.
BOX_COLOR = (60, 200, 255)
MASK_COLOR = (220, 60, 230)
POLYGON_COLOR = (255, 220, 120)
TEXT_COLOR = (20, 20, 20)
# OpenCV draws at 1/16 of a pixel.
_SHIFT = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_result(frame: np.ndarray,
                result: Result,
                label: Optional[str] = None,
                box_color: Sequence[int] = BOX_COLOR,
                mask_color: Sequence[int] = MASK_COLOR,
                mask_opacity: float = 0.45) -> np.ndarray:
    """Draw mask, rotated box, box and score.

    Args:
        frame (np.ndarray): (H, W, 3) uint8, BGR; left as it is.
        result (Result): Of this frame. Parts that are None are not drawn.
        label (str, optional): Text at the box. Defaults to None: the score.
        box_color (Sequence[int]): BGR, of box and label.
            Defaults to BOX_COLOR.
        mask_color (Sequence[int]): BGR. Defaults to MASK_COLOR.
        mask_opacity (float): Share of the colour in the mask, 0..1.
            Defaults to 0.45.

    Returns:
        np.ndarray: (H, W, 3) uint8, a new image.
    """
    canvas = np.array(frame, order='C')
    # Lines and text that look alike in every size of frame.
    unit = max(1., min(canvas.shape[:2]) / 360)
    thickness = max(1, round(unit))
    if result.mask is not None:
        _tint(canvas, result.mask, mask_color, mask_opacity, thickness)
    if result.polygon is not None:
        _closed_line(canvas, result.polygon, POLYGON_COLOR, thickness)
    x, y, w, h = result.bbox
    # Pixel i covers [i - 0.5, i + 0.5) in OpenCV's drawing, and a box of n
    # pixels reaches from its first to its last one.
    right, bottom = x + max(w - 1, 0), y + max(h - 1, 0)
    _closed_line(canvas, [(x, y), (right, y), (right, bottom), (x, bottom)],
                 box_color, 2 * thickness)
    _write(canvas, f'{result.score:.2f}' if label is None else label, x, y,
           box_color, 0.45 * unit, thickness)
    return canvas


def _tint(canvas: np.ndarray, mask: np.ndarray, color: Sequence[int],
          opacity: float, thickness: int) -> None:
    """Blend the mask's pixels with a colour, and outline them."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if not w or not h:
        return
    inside = mask[y:y + h, x:x + w]
    window = canvas[y:y + h, x:x + w]
    blended = window[inside] * (1 - opacity) + np.array(color) * opacity
    window[inside] = blended.astype(np.uint8)
    outline = cv2.findContours(
        inside.astype(np.uint8),
        cv2.RETR_CCOMP,
        cv2.CHAIN_APPROX_NONE,
        offset=(x, y))[-2]
    cv2.drawContours(canvas, outline, -1, tuple(color), thickness,
                     cv2.LINE_AA)


def _closed_line(canvas: np.ndarray, points: Sequence, color: Sequence[int],
                 thickness: int) -> None:
    # Far outside, OpenCV's fixed-point numbers would overflow.
    limit = 4 * max(canvas.shape)
    points = np.clip(np.asarray(points, np.float64), -limit, limit)
    fixed = np.rint(points * 2**_SHIFT).astype(np.int32)
    cv2.polylines(canvas, [fixed], True, tuple(color), thickness, cv2.LINE_AA,
                  _SHIFT)


def _write(canvas: np.ndarray, text: str, x: float, y: float,
           color: Sequence[int], scale: float, thickness: int) -> None:
    """Write above a corner, on a plate; within the image where it fits."""
    (w, h), baseline = cv2.getTextSize(text, _FONT, scale, thickness)
    pad = 2 * thickness
    w, h = w + 2 * pad, h + baseline + pad
    height, width = canvas.shape[:2]
    if not text or w > width or 2 * h > height:
        return
    left = int(np.clip(round(x) - thickness, 0, width - w))
    top = int(np.clip(round(y) - h, 0, height - h))
    cv2.rectangle(canvas, (left, top), (left + w - 1, top + h - 1),
                  tuple(color), -1)
    cv2.putText(canvas, text, (left + pad, top + h - baseline), _FONT, scale,
                TEXT_COLOR, thickness, cv2.LINE_AA)
