"""From a RoI's mask to the image: pasting, and the rotated box."""
from typing import NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np


class PastedMask(NamedTuple):
    """A binary mask, stored only where it can be non-zero.

    Attributes:
        window (np.ndarray): (h, w) uint8, 0 or 1.
        corner (tuple[int, int]): x, y of the window in the image.
        image_size (tuple[int, int]): Width and height of the image.
    """
    window: np.ndarray
    corner: Tuple[int, int]
    image_size: Tuple[int, int]

    def full(self) -> np.ndarray:
        """The mask over the whole image.

        Returns:
            np.ndarray: (H, W) bool.
        """
        width, height = self.image_size
        mask = np.zeros((height, width), bool)
        x, y = self.corner
        h, w = self.window.shape
        mask[y:y + h, x:x + w] = self.window
        return mask


# cv2.warpAffine's fixed-point arithmetic: coordinates are rounded to 1/1024,
# then to 1/32 of a pixel.
_COORDINATE_SCALE = 1024
_TABLE_BITS = 5


def _to_table(coordinate: np.ndarray) -> np.ndarray:
    """From 1/1024 to 1/32 of a pixel, rounded."""
    return (coordinate + 16) >> _TABLE_BITS


def _fixed(value: np.ndarray) -> np.ndarray:
    return np.rint(value * _COORDINATE_SCALE).astype(np.int64)


def paste_mask(prob: np.ndarray,
               box: Sequence[float],
               image_size: Tuple[int, int],
               threshold: float,
               exact: bool = False) -> PastedMask:
    """Warp a RoI's probabilities into the image and threshold them.

    Only the box's window is computed, with the numbers that
    ``cv2.warpAffine`` gives for the whole image (bilinear, zero border).
    The released tracker's map puts a cell's middle where its first edge is,
    and the image's last edge a pixel too far left.

    Args:
        prob (np.ndarray): (h, w) float32, e.g. 64x64.
        box (Sequence[float]): x, y, w, h in image pixels: where the RoI
            lies.
        image_size (tuple[int, int]): Width and height of the image.
        threshold (float): Pixels above it are the target.
        exact (bool): Whether the first and the last cell's outer edges lie
            on the box's, as in training, instead of the released tracker's
            map. Defaults to False.

    Returns:
        PastedMask: The mask around the box.
    """
    scales, shifts, pixels = [], [], []
    for origin, length, extent, cells in zip(box[:2], box[2:], image_size,
                                             prob.shape[::-1]):
        # Cell u goes to pixel scale * u + shift.
        if exact:
            scale = length / cells
            shift = origin + (scale - 1) / 2
        else:
            scale = (extent - 1) / (extent * cells / length)
            shift = scale * origin * cells / length
        start = np.clip(np.floor(shift - scale), 0, extent)
        stop = np.clip(np.ceil(shift + scale * cells) + 1, 0, extent)
        scales.append(scale)
        shifts.append(shift)
        pixels.append(np.arange(int(start), int(stop)))
    if not len(pixels[0]) or not len(pixels[1]):
        return PastedMask(np.zeros((0, 0), np.uint8), (0, 0), image_size)
    # Columns add two rounded terms, rows round the sum, as OpenCV does.
    x = _to_table(
        _fixed(pixels[0] / scales[0]) + _fixed(-shifts[0] / scales[0]))
    y = _to_table(_fixed(pixels[1] / scales[1] - shifts[1] / scales[1]))
    cell = np.empty((len(y), len(x), 2), np.int16)
    cell[..., 0], cell[..., 1] = x >> _TABLE_BITS, (y >> _TABLE_BITS)[:, None]
    last = (1 << _TABLE_BITS) - 1
    weight = ((y & last)[:, None] << _TABLE_BITS) + (x & last)
    warped = cv2.remap(
        prob,
        cell,
        weight.astype(np.uint16),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0)
    window = (warped > threshold).astype(np.uint8)
    corner = (int(pixels[0][0]), int(pixels[1][0]))
    return PastedMask(window, corner, image_size)


class SoftMask(NamedTuple):
    """A RoI's probabilities, and where they lie in the image.

    Attributes:
        prob (np.ndarray): (h, w) float32, e.g. 64x64.
        extent (np.ndarray): (4,), x, y, w, h in image pixels.
        image_size (tuple[int, int]): Width and height of the image.
        exact (bool): As for :func:`paste_mask`. Defaults to False.
    """
    prob: np.ndarray
    extent: np.ndarray
    image_size: Tuple[int, int]
    exact: bool = False

    def paste(self, threshold: float) -> PastedMask:
        """Paste it at a threshold.

        Args:
            threshold (float): Probabilities above it are the target, 0..1.

        Returns:
            PastedMask: What :func:`paste_mask` makes of it.
        """
        return paste_mask(self.prob, self.extent, self.image_size, threshold,
                          self.exact)


def largest_part(mask: PastedMask, min_area: float) -> Optional[np.ndarray]:
    """The outline of the largest part of a mask.

    Args:
        mask (PastedMask): From :func:`paste_mask`.
        min_area (float): In pixels.

    Returns:
        np.ndarray | None: (N, 1, 2) int32, pixels of the image; None if no
        part is larger than ``min_area``.
    """
    if not mask.window.size:
        return None
    contours = cv2.findContours(
        mask.window,
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_SIMPLE,
        offset=mask.corner)[-2]
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) <= min_area:
        return None
    return largest


def rotated_box(part: Optional[np.ndarray],
                box: Sequence[float]) -> np.ndarray:
    """The smallest rotated rectangle around a part of a mask.

    Args:
        part (np.ndarray, optional): From :func:`largest_part`.
        box (Sequence[float]): x, y, w, h in pixels, used where there is none.

    Returns:
        np.ndarray: (4, 2) float64, corners in image pixels, in order around
        the rectangle.
    """
    if part is not None:
        return cv2.boxPoints(cv2.minAreaRect(part)).astype(np.float64)
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]],
                    np.float64)
