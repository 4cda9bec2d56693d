"""Masks of one frame at many thresholds, for the price of one tracking."""
import contextlib
from typing import Any, Iterator, Optional, Sequence, Tuple

import numpy as np

from siamattn_mm.models.trackers import siamattn
from siamattn_mm.models.trackers.mask_paste import PastedMask


class ThresholdSweep:
    """J of the tracker's masks at each of several thresholds.

    The mask is the last thing that the tracker does in a frame, and nothing
    of it comes back in the next one. So the boxes of a trial hold for every
    ``mask_thr``, and one pass over a sequence is enough: within
    :meth:`recording`, what the tracker pastes is remembered, and
    :meth:`compare` pastes it again with each threshold.

    Args:
        thresholds (Sequence[float]): (T,) probabilities.
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self.thresholds = [float(value) for value in thresholds]
        self._paste = siamattn.paste_mask
        self._pasted: Optional[Tuple[Any, ...]] = None

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Remember what the tracker pastes."""
        siamattn.paste_mask = self._record
        try:
            yield
        finally:
            siamattn.paste_mask = self._paste
            self._pasted = None

    def _record(self, prob: np.ndarray, box: Sequence[float],
                image_size: Tuple[int, int],
                threshold: float) -> PastedMask:
        self._pasted = (prob, box, image_size)
        return self._paste(prob, box, image_size, threshold)

    def compare(self, truth: np.ndarray) -> np.ndarray:
        """J of the last frame's mask.

        Args:
            truth (ndarray): (H, W) bool.

        Returns:
            ndarray: (T,) J at each threshold.

        Raises:
            RuntimeError: If nothing was pasted since the last call.
        """
        if self._pasted is None:
            raise RuntimeError('the tracker has pasted no mask through '
                               'siamattn.paste_mask since the last call')
        prob, box, image_size = self._pasted
        self._pasted = None
        area = np.count_nonzero(truth)
        values = []
        for threshold in self.thresholds:
            window, (x, y), _ = self._paste(prob, box, image_size, threshold)
            height, width = window.shape
            # Outside the window the mask is empty.
            inside = truth[y:y + height, x:x + width]
            inter = np.count_nonzero(inside & (window > 0))
            union = np.count_nonzero(window) + area - inter
            values.append(inter / union if union else 1.)
        return np.array(values)
