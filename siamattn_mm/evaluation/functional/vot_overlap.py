"""Overlap of two regions as the VOT toolkit measures it: in whole pixels.

A region is an array of 4 numbers, a rectangle x, y, w, h in pixels, or of 6
or more, the corners x1, y1, x2, y2, ... of a polygon. Regions are drawn into
the image and pixels are counted. Numbers are rounded before, as they are in
the toolkit (float32, half to even), so that the overlap is the same number to
the last digit: a rectangle covers the columns x to x + w - 1, a polygon all
pixels from its outline inwards.
"""
from typing import Optional, Sequence, Tuple

import numpy as np

# left, top, right, bottom: the outermost pixels.
Bounds = Tuple[int, int, int, int]


def region_overlap(first: np.ndarray,
                   second: np.ndarray,
                   size: Optional[Tuple[int, int]] = None) -> float:
    """Intersection over union of two regions, in pixels.

    Args:
        first (ndarray): (4,) x, y, w, h or (2K,) corners, K >= 3, in pixels.
        second (ndarray): The same. nan in a region: there is none.
        size (tuple[int, int], optional): Width and height of the image; only
            pixels in it count. Defaults to None: all pixels count.

    Returns:
        float: 0 to 1; 0 if one of the two is not there. Two regions that
        together are not wider or not higher than one pixel count as equal,
        unless the image cuts them to that (then 0), as in the toolkit.

    Raises:
        ValueError: If a region has neither 4 nor an even number of at least 6
            numbers.
    """
    regions = [_rounded(region) for region in (first, second)]
    if not all(np.isfinite(region).all() for region in regions):
        return 0.
    boxes = np.array([_bounds(region) for region in regions])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    if left >= right or top >= bottom:
        return 1.
    if size is not None:
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, size[0] - 1), min(bottom, size[1] - 1)
        if left >= right or top >= bottom:
            return 0.
    bounds = int(left), int(top), int(right), int(bottom)
    masks = [_draw(region, bounds) for region in regions]
    union = int(np.count_nonzero(masks[0] | masks[1]))
    if union == 0:
        return 0.
    return int(np.count_nonzero(masks[0] & masks[1])) / union


def region_overlaps(first: Sequence[np.ndarray],
                    second: Sequence[np.ndarray],
                    size: Optional[Tuple[int, int]] = None) -> np.ndarray:
    """Overlaps frame by frame, see :func:`region_overlap`.

    Args:
        first (Sequence[ndarray]): N regions.
        second (Sequence[ndarray]): N regions.
        size (tuple[int, int], optional): Width and height of the image.
            Defaults to None: all pixels count.

    Returns:
        ndarray: (N,) overlaps, 0 to 1.

    Raises:
        ValueError: If the numbers of regions differ, or as
            :func:`region_overlap`.
    """
    if len(first) != len(second):
        raise ValueError(f'{len(first)} regions cannot be compared with '
                         f'{len(second)}')
    return np.array(
        [region_overlap(one, two, size) for one, two in zip(first, second)])


def _rounded(region: np.ndarray) -> np.ndarray:
    region = np.asarray(region, np.float32).ravel()
    if region.size != 4 and (region.size < 6 or region.size % 2):
        raise ValueError('a region is 4 numbers (x, y, w, h) or the x and y '
                         f'of at least 3 corners, but got {region.size} '
                         'numbers')
    return np.round(region).astype(np.float64)


def _bounds(region: np.ndarray) -> np.ndarray:
    if region.size == 4:
        return np.concatenate([region[:2], region[:2] + region[2:] - 1])
    corners = region.reshape(-1, 2)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _draw(region: np.ndarray, bounds: Bounds) -> np.ndarray:
    """(h, w) bool, the pixels of a rounded region within the bounds."""
    left, top, right, bottom = bounds
    shape = bottom - top + 1, right - left + 1
    if region.size > 4:
        return _draw_polygon(region.reshape(-1, 2) - (left, top), shape)
    x1, y1, x2, y2 = (_bounds(region) - (left, top, left, top)).astype(int)
    mask = np.zeros(shape, bool)
    mask[max(y1, 0):max(y2 + 1, 0), max(x1, 0):max(x2 + 1, 0)] = True
    return mask


def _draw_polygon(corners: np.ndarray, shape: Tuple[int, int]) -> np.ndarray:
    """Fill every row between pairs of crossings with the outline.

    Args:
        corners (ndarray): (K, 2) x, y, whole numbers.
        shape (tuple[int, int]): Height and width.

    Returns:
        ndarray: (h, w) bool.
    """
    height, width = shape
    crossings, count = _crossings(corners, height)
    # +1 where a filled run begins, -1 behind its end.
    steps = np.zeros((height, width + 1), np.int32)
    rows = np.arange(height)
    at = np.zeros(height, int)
    while True:
        active = rows[at < count - 1]
        active = active[crossings[active, at[active]] < width]
        if not len(active):
            return steps.cumsum(axis=1)[:, :width] > 0
        begin = crossings[active, at[active]]
        end = crossings[active, at[active] + 1]
        # An outline that only touches the row gives a crossing twice; the
        # last two of a row are a run all the same.
        twice = (begin == end) & (at[active] < count[active] - 2)
        filled = ~twice & (end >= 0)
        steps[active[filled], np.maximum(begin[filled], 0).astype(int)] += 1
        steps[active[filled],
              np.minimum(end[filled], width - 1).astype(int) + 1] -= 1
        at[active] += np.where(twice, 1, 2)


def _crossings(corners: np.ndarray,
               height: int) -> Tuple[np.ndarray, np.ndarray]:
    """Columns where the outline crosses the rows, ends of edges included.

    Args:
        corners (ndarray): (K, 2) x, y.
        height (int): Number of rows.

    Returns:
        tuple[ndarray, ndarray]: (height, K + 1) columns in ascending order,
        padded with inf, and (height,) how many there are.
    """
    x1, y1 = corners.T
    x2, y2 = np.roll(corners, 1, axis=0).T
    row = np.arange(height)[:, None]
    rise = y2 - y1
    is_level = rise == 0
    column = np.where(
        is_level, x1,
        x1 + (row - y1) / np.where(is_level, 1, rise) * (x2 - x1))
    crossed = (np.minimum(y1, y2) <= row) & (row <= np.maximum(y1, y2))
    column = np.sort(np.where(crossed, np.trunc(column), np.inf), axis=1)
    padding = np.full((height, 1), np.inf)
    return np.concatenate([column, padding], axis=1), crossed.sum(axis=1)
