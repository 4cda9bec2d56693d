"""Cutting square windows out of an image, as SiamFC and its followers do."""
from typing import NamedTuple, Sequence, Tuple

import cv2
import numpy as np

# Windows between pixels lie on this grid, so many steps to a pixel. Crops
# are of whole numbers: where runtimes differ in last digits, some pixels would
# differ by one, and a tracker makes ever more of that from frame to frame.
GRID = 64


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


class SearchWindow(NamedTuple):
    """Where a search crop lies in the image.

    Coordinates in the crop count from its middle, in crop pixels.

    Attributes:
        centre (np.ndarray): (2,), x, y in image pixels, counted at pixel
            centres.
        side (float): In image pixels.
        size (int): Of the crop, in its pixels.
        scale (float): Crop pixels per image pixel, before ``side`` was
            rounded.
        exact (bool): Whether the crop is cut between pixels, as training
            pairs are, or at whole pixels, as the released tracker does.
            Defaults to False.
    """
    centre: np.ndarray
    side: float
    size: int
    scale: float
    exact: bool = False

    @classmethod
    def around(cls,
               box: np.ndarray,
               size: int,
               exemplar_size: int,
               context_amount: float,
               exact: bool = False,
               zoom: float = 1.) -> 'SearchWindow':
        """Lay it around a target.

        Args:
            box (np.ndarray): (4,), cxcywh in image pixels.
            size (int): Side of the crop.
            exemplar_size (int): Side of the template crop.
            context_amount (float): As for :func:`context_side`.
            exact (bool): See the class. Defaults to False.
            zoom (float): Its side is so many times longer. Defaults to 1.

        Returns:
            SearchWindow: Around the box's centre; between pixels, around the
            next point of ``GRID``.
        """
        centre = box[:2]
        template_side = zoom * context_side(*box[2:], context_amount)
        if exact:
            centre = np.round(centre * GRID) / GRID
            template_side = max(1, round(template_side * GRID)) / GRID
        side = template_side * size / exemplar_size
        if not exact:
            side = max(1, round(side))
        return cls(centre, side, size, exemplar_size / template_side, exact)

    def crop(self, frame: np.ndarray,
             pad_value: Sequence[float]) -> np.ndarray:
        """Cut it out.

        Args:
            frame (np.ndarray): (H, W, 3) uint8.
            pad_value (Sequence[float]): As for :func:`crop_image`.

        Returns:
            np.ndarray: (size, size, 3) uint8.
        """
        if not self.exact:
            return crop_image(frame, self.centre, self.side, self.size,
                              pad_value)
        x, y = (self.size - 1) / 2 - self.centre * self.scale
        return cv2.warpAffine(
            frame,
            np.array([[self.scale, 0, x], [0, self.scale, y]]),
            (self.size, self.size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=pad_value)

    def _middle(self, rounded: bool) -> np.ndarray:
        """Which point of the image is the crop's middle.

        As in the released tracker, the window's corner is that of the rounded
        side, but the crop's scale is not.
        """
        if self.exact or not rounded:
            return self.centre
        return self.centre - self.side / 2 + self.size / 2 / self.scale

    def to_image(self, boxes: np.ndarray, rounded: bool = True) -> np.ndarray:
        """From the crop to the image.

        Args:
            boxes (np.ndarray): (..., 4), cxcywh in crop pixels from the
                crop's middle.
            rounded (bool): Whether the window's corner counts as it was
                rounded, or the window's centre. Defaults to True.

        Returns:
            np.ndarray: (..., 4), cxcywh in image pixels.
        """
        boxes = boxes / self.scale
        boxes[..., :2] += self._middle(rounded)
        return boxes

    def to_crop(self, boxes: np.ndarray, rounded: bool = True) -> np.ndarray:
        """From the image to the crop: the inverse.

        Args:
            boxes (np.ndarray): (..., 4), cxcywh in image pixels.
            rounded (bool): As for :meth:`to_image`. Defaults to True.

        Returns:
            np.ndarray: (..., 4), cxcywh in crop pixels from the crop's
            middle.
        """
        boxes = boxes.copy()
        boxes[..., :2] -= self._middle(rounded)
        return boxes * self.scale

    def extent(self, box: np.ndarray) -> np.ndarray:
        """Where what was computed over a box of the crop lies in the image.

        Args:
            box (np.ndarray): (4,), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (4,), x, y, w, h in image pixels, by the side that was
            cut out.
        """
        ratio = self.side / self.size
        corner = box[:2] - box[2:] / 2 + self.size / 2
        first = self.centre - self.side / 2
        if self.exact:
            # Edges, half a pixel from the pixels' centres.
            first = first + 0.5
        return np.concatenate([first + corner * ratio, box[2:] * ratio])
