"""How the network's boxes differ from what the user calls the target."""
from typing import Sequence

import numpy as np
from mmtrack.registry import TASK_UTILS

from .online import VIEWS, OnlinePart, View


@TASK_UTILS.register_module()
class BoxCalibration(OnlinePart):
    """Take off what the boxes of the first frame are wrong by.

    Where an object ends is a matter of opinion: with or without its shadow,
    its handle, its rider. A network has the opinion of its training data; the
    first frame's box is the user's. On objects that it was not trained on the
    difference is large, and much the same over a video. Not in the paper.

    Its state is the bias (4,): offset of the centre, in sizes of the true
    box, and logarithm of the ratio of sizes.

    Args:
        share (float): So much of the bias is corrected, 0..1.
            Defaults to 0.5.
        max_bias (float): Of the sizes, or of their logarithm: what differs
            more is another object. Defaults to 0.7.

    Raises:
        ValueError: If ``share`` is not in 0..1.
    """
    views = len(VIEWS)

    def __init__(self, share: float = 0.5, max_bias: float = 0.7) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f'share must be in 0..1, but got {share}')
        self.share = share
        self.max_bias = max_bias

    def learn(self, target: np.ndarray, views: Sequence[View]) -> np.ndarray:
        """Learn the bias of the first frame's boxes.

        Args:
            target (np.ndarray): Not used.
            views (Sequence[View]): What was found in each.

        Returns:
            np.ndarray: (4,), the share of the mean bias; zeros if no bias is
            plausible.
        """
        biases = [box_bias(view.found, view.truth) for view in views]
        plausible = [b for b in biases if np.abs(b).max() < self.max_bias]
        return self.share * np.mean(plausible, 0) if plausible else np.zeros(4)

    def calibrate(self, state: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Take the bias off.

        Args:
            state (np.ndarray): (4,), from :meth:`learn`.
            boxes (np.ndarray): (K, 4), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (K, 4), likewise.
        """
        columns, bias = boxes.T, state[:, None]
        sizes = columns[2:] * np.exp(-bias[2:])
        return np.concatenate([columns[:2] - bias[:2] * sizes, sizes]).T


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
