"""Geometry of Siamese crops, as 2x3 affine matrices.

Crop coordinates are counted at pixel centres: the first pixel's centre is 0,
its edges are -0.5 and 0.5, and the centre of a 255 pixel crop is 127, where
the RPN head's middle anchors sit.
"""
import math
from typing import Sequence, Tuple

import cv2
import numpy as np


def context_size(width: float,
                 height: float,
                 context_amount: float = 0.5) -> float:
    """Side of the square that the template crop shows.

    Source: SiamFC (https://arxiv.org/abs/1606.09549), section 2.4.

    Args:
        width (float): Width of the target in image pixels.
        height (float): Its height.
        context_amount (float): Share of ``width + height`` that is added to
            each of both. Defaults to 0.5.

    Returns:
        float: The side in image pixels.
    """
    context = context_amount * (width + height)
    return math.sqrt((width + context) * (height + context))


def crop_matrix(bbox: Sequence[float],
                crop_size: int,
                exemplar_size: int = 127,
                context_amount: float = 0.5,
                shift: Tuple[float, float] = (0., 0.),
                scale: Tuple[float, float] = (1., 1.),
                angle: float = 0.,
                flip: bool = False) -> np.ndarray:
    """The affine map from an image to a crop around a target.

    Without the optional changes the target's centre lands in the crop's
    middle, and the target's :func:`context_size` on ``exemplar_size`` pixels,
    whatever the size of the crop.

    Args:
        bbox (Sequence[float]): x, y, w, h of the target in image pixels.
        crop_size (int): Side of the crop.
        exemplar_size (int): Side of a template crop. Defaults to 127.
        context_amount (float): See :func:`context_size`. Defaults to 0.5.
        shift (tuple[float, float]): Moves the target in the crop by x, y crop
            pixels. Defaults to (0, 0).
        scale (tuple[float, float]): The crop shows so many times more of the
            image in x, y: the target gets smaller by it. Defaults to (1, 1).
        angle (float): Turns the image around the target, in degrees, x axis
            towards y axis. Defaults to 0.
        flip (bool): Mirrors left and right. Defaults to False.

    Returns:
        ndarray: (2, 3) float64, from image to crop, both counted at pixel
        centres: what ``cv2.warpAffine`` takes.
    """
    x, y, width, height = (float(v) for v in bbox)
    zoom = exemplar_size / context_size(width, height, context_amount)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    a, b = cos * zoom / scale[0], -sin * zoom / scale[0]
    c, d = sin * zoom / scale[1], cos * zoom / scale[1]
    if flip:
        a, b = -a, -b
    # The pixel whose left edge is x has its centre at x in pixel centre
    # coordinates, so the box spans x - 0.5 to x - 0.5 + width.
    centre_x, centre_y = x - 0.5 + width / 2, y - 0.5 + height / 2
    middle = (crop_size - 1) / 2
    return np.array([
        [a, b, middle + shift[0] - a * centre_x - b * centre_y],
        [c, d, middle + shift[1] - c * centre_x - d * centre_y],
    ])


def warp_bbox(bbox: Sequence[float], matrix: np.ndarray,
              crop_size: int) -> np.ndarray:
    """Carry a box into a crop.

    Args:
        bbox (Sequence[float]): x, y, w, h in image pixels.
        matrix (ndarray): (2, 3) from :func:`crop_matrix`.
        crop_size (int): Side of the crop; the box is clipped to its edges.

    Returns:
        ndarray: (4,) float32 x1, y1, x2, y2 in crop pixels, counted at pixel
        centres; where the map turns, the box around the turned box.
    """
    x, y, width, height = (float(v) for v in bbox)
    (a, b, e), (c, d, f) = matrix.tolist()
    centre_x, centre_y = x - 0.5 + width / 2, y - 0.5 + height / 2
    u = a * centre_x + b * centre_y + e
    v = c * centre_x + d * centre_y + f
    half_u = (abs(a) * width + abs(b) * height) / 2
    half_v = (abs(c) * width + abs(d) * height) / 2
    box = np.array([u - half_u, v - half_v, u + half_u, v + half_v],
                   dtype=np.float32)
    return box.clip(-0.5, crop_size - 0.5)


def warp_image(img: np.ndarray, matrix: np.ndarray,
               crop_size: int) -> np.ndarray:
    """Carry an image into a crop; outside the image is its mean colour.

    Args:
        img (ndarray): (H, W, 3) uint8.
        matrix (ndarray): (2, 3) from :func:`crop_matrix`.
        crop_size (int): Side S of the crop.

    Returns:
        ndarray: (S, S, 3) uint8.
    """
    # Every fourth pixel tells the mean as well, at a tenth of the time.
    mean = cv2.mean(np.ascontiguousarray(img[::4, ::4]))
    return cv2.warpAffine(
        img,
        matrix, (crop_size, crop_size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=mean)


def warp_mask(mask: np.ndarray, matrix: np.ndarray,
              crop_size: int) -> np.ndarray:
    """Carry a mask into a crop; outside the image is outside the object.

    Args:
        mask (ndarray): (H, W) uint8, 1 inside, 0 outside.
        matrix (ndarray): (2, 3) from :func:`crop_matrix`.
        crop_size (int): Side S of the crop.

    Returns:
        ndarray: (S, S) uint8, 1 inside, 0 outside.
    """
    # Interpolating 0 and 255 and cutting at the middle keeps outlines
    # straight where the crop enlarges the image.
    warped = cv2.warpAffine(
        mask * np.uint8(255),
        matrix, (crop_size, crop_size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0)
    return (warped > 127).astype(np.uint8)
