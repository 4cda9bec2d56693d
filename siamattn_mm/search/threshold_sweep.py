"""Masks of one frame at many thresholds, for the price of one tracking."""
from typing import Sequence

import numpy as np

from siamattn_mm.structures.mask_paste import SoftMask


class ThresholdSweep:
    """J of the tracker's masks at each of several thresholds.

    The mask is the last thing that the tracker does in a frame, and nothing
    of it comes back in the next one. So what is followed holds for every
    ``mask_thr``, and one pass over a sequence is enough: what the tracker
    pasted is pasted again with each threshold. (Where the mask has a share in
    the reported box, ``test_cfg.report.mask_share``, that is the box at the
    model's own threshold.)

    Args:
        thresholds (Sequence[float]): (T,) probabilities.
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self.thresholds = [float(value) for value in thresholds]

    def compare(self, mask: SoftMask, truth: np.ndarray) -> np.ndarray:
        """J of a frame's mask.

        Args:
            mask (SoftMask): Of the tracker's result.
            truth (ndarray): (H, W) bool.

        Returns:
            ndarray: (T,) J at each threshold.
        """
        area = np.count_nonzero(truth)
        values = []
        for threshold in self.thresholds:
            window, (x, y), _ = mask.paste(threshold)
            height, width = window.shape
            # Outside the window the mask is empty.
            inside = truth[y:y + height, x:x + width]
            inter = np.count_nonzero(inside & (window > 0))
            union = np.count_nonzero(window) + area - inter
            values.append(inter / union if union else 1.)
        return np.array(values)
