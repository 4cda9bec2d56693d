"""Boxes outside of the network: float64 arrays (N, 4), cxcywh.

Where coordinates are of the search crop, they are in its pixels and count
from its middle, ``search_size / 2`` from either edge: pixel i covers
[i, i + 1). Anchors lie around the same point.
"""
from typing import Any, NamedTuple

import numpy as np

# In pixels of the image or of the crop: what is smaller says nothing to maps
# of stride 8.
MIN_SIZE = 10.
# Side of a search crop, in its pixels.
SEARCH_SIZE = 255


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of each box with each of others.

    Args:
        boxes (np.ndarray): (N, 4), cxcywh.
        others (np.ndarray): (M, 4), cxcywh.

    Returns:
        np.ndarray: (N, M), 0..1; 0 with a box that has no area.
    """
    intersection = 1.
    for axis in range(2):
        centre, half = boxes[:, axis, None], boxes[:, axis + 2, None] / 2
        other, other_half = others[:, axis], others[:, axis + 2] / 2
        intersection = intersection * np.maximum(
            np.minimum(centre + half, other + other_half) -
            np.maximum(centre - half, other - other_half), 0)
    areas = boxes[:, 2:].prod(1)[:, None] + others[:, 2:].prod(1)
    return intersection / np.maximum(areas - intersection, 1e-9)


class AnchorGrid(NamedTuple):
    """The anchors of one size of maps.

    Attributes:
        boxes (np.ndarray): (K, 4), cxcywh in crop pixels from the crop's
            middle.
        window (np.ndarray): (K,), Hanning window, 0..1.
    """
    boxes: np.ndarray
    window: np.ndarray

    @classmethod
    def of(cls, generator: Any, height: int, width: int) -> 'AnchorGrid':
        """Make it.

        Args:
            generator (SiamAttnAnchorGenerator): Of one level.
            height (int): Of the maps.
            width (int): Of the maps.

        Returns:
            AnchorGrid: Anchor-major, A * height * width.
        """
        base = generator.base_anchors[0].numpy()
        stride_x, stride_y = generator.strides[0]
        grid = np.empty((4, len(base), height, width))
        # The map's cell n // 2 is the crop's middle.
        grid[0] = (np.arange(width) - width // 2) * stride_x
        grid[1] = ((np.arange(height) - height // 2) * stride_y)[:, None]
        grid[2] = (base[:, 2] - base[:, 0])[:, None, None]
        grid[3] = (base[:, 3] - base[:, 1])[:, None, None]
        window = np.outer(np.hanning(height), np.hanning(width)).ravel()
        # Columns lie side by side in memory: they are what is computed with.
        return cls(grid.reshape(4, -1).T, np.tile(window, len(base)))
