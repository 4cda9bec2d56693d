"""How the network's boxes differ from what the user calls the target.

Where an object ends is a matter of opinion: with or without its shadow, its
handle, its rider. A network has the opinion of its training data; the first
frame's box is the user's. On objects that it was not trained on the difference
is large, and much the same over a video. Not in the paper.
"""
from typing import List

import numpy as np

# Where the target is looked for in the first frame: offset of the crop in
# target sizes, and factor of the size that it is taken for.
VIEWS = ((0., 0., 1.), (.3, .3, 1.), (-.3, .3, 1.), (.3, -.3, 1.),
         (-.3, -.3, 1.), (0., 0., .85), (0., 0., 1.18))
# Of the sizes, or of their logarithm: what differs more is another object.
MAX_BIAS = 0.7


def views(box: np.ndarray) -> List[np.ndarray]:
    """Boxes to start from, as if they were the last frame's.

    Args:
        box (np.ndarray): (4,), cxcywh of the target.

    Returns:
        list[np.ndarray]: (4,) each, cxcywh.
    """
    return [
        np.concatenate([box[:2] + (dx, dy) * box[2:], box[2:] * zoom])
        for dx, dy, zoom in VIEWS
    ]


def box_bias(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """How a box differs from the one that it should be.

    Args:
        found (np.ndarray): (4,), cxcywh.
        truth (np.ndarray): (4,), cxcywh.

    Returns:
        np.ndarray: (4,): offset of the centre, in sizes of the true box, and
        logarithm of the ratio of sizes.
    """
    return np.concatenate([(found[:2] - truth[:2]) / truth[2:],
                           np.log(found[2:] / truth[2:])])


def mean_bias(biases: List[np.ndarray], share: float) -> np.ndarray:
    """What to correct boxes by.

    Args:
        biases (list[np.ndarray]): From :func:`box_bias`.
        share (float): So much of it is corrected, 0..1.

    Returns:
        np.ndarray: (4,), for :func:`corrected`; zeros if no bias is
        plausible.
    """
    plausible = [bias for bias in biases if np.abs(bias).max() < MAX_BIAS]
    return share * np.mean(plausible, 0) if plausible else np.zeros(4)


def corrected(boxes: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Take a bias from boxes.

    Args:
        boxes (np.ndarray): (4, K), cxcywh.
        bias (np.ndarray): (4,), from :func:`mean_bias`.

    Returns:
        np.ndarray: (4, K), cxcywh.
    """
    sizes = boxes[2:] * np.exp(-bias[2:, None])
    return np.concatenate([boxes[:2] - bias[:2, None] * sizes, sizes])
