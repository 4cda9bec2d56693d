"""Rectangles drawn between pixels, and read from crops again."""
import numpy as np

HEIGHT, WIDTH = 160, 200
BACKGROUND, DIFFERENCE = 20., 220.
# In all crops' outside.
PAD = (BACKGROUND, ) * 3


def _coverage(start, length, count):
    """Which share of each of ``count`` pixels an interval covers."""
    edges = np.arange(count + 1) - .5
    return np.diff(np.clip(edges, start, start + length))


def draw_square(box):
    """A bright rectangle in a dark (160, 200, 3) image.

    Args:
        box (Sequence[float]): cxcywh, counted at pixels' centres.
    """
    cx, cy, w, h = box
    share = np.outer(
        _coverage(cy - h / 2, h, HEIGHT), _coverage(cx - w / 2, w, WIDTH))
    levels = np.rint(BACKGROUND + DIFFERENCE * share).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def read_square(crop):
    """Its box in a crop, cxcywh in pixels from the crop's middle."""
    share = (crop[..., 0] - BACKGROUND) / DIFFERENCE
    columns, rows = share.sum(0), share.sum(1)
    places = np.arange(len(crop)) - (len(crop) - 1) / 2
    return np.array([
        columns @ places / columns.sum(), rows @ places / rows.sum(),
        share.max(0).sum(), share.max(1).sum()
    ])
