"""What one set of tracking parameters gives on a sequence, and on all."""
import contextlib
from typing import List, NamedTuple, Optional

import numpy as np

from siamattn_mm.evaluation.functional import (
    box_iou,
    mean_region_similarity,
    success_curve,
)
from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.models.trackers import TrackingConfig, xywh_of

from .sequence_store import StoredSequence
from .threshold_sweep import ThresholdSweep


class SequenceOutcome(NamedTuple):
    """Figures of one sequence.

    Attributes:
        boxes (ndarray): (N, 4) x, y, w, h.
        success (float): AUC of the success curve, 0..1.
        mask_j (ndarray, optional): (T,) mean J at each threshold; None
            without masks.
    """
    boxes: np.ndarray
    success: float
    mask_j: Optional[np.ndarray]

    def value(self, mask_weight: float) -> float:
        """Success plus ``mask_weight`` times J at the best threshold."""
        if self.mask_j is None or not mask_weight:
            return self.success
        return self.success + mask_weight * float(self.mask_j.max())


class TrialOutcome(NamedTuple):
    """Figures of all sequences.

    Attributes:
        value (float): What is maximised.
        success (float): Mean over the sequences.
        mask_j (ndarray, optional): (T,) mean J over those with masks.
    """
    value: float
    success: float
    mask_j: Optional[np.ndarray]


def track_sequence(model: SiamAttn,
                   sequence: StoredSequence,
                   sweep: Optional[ThresholdSweep] = None) -> SequenceOutcome:
    """Track one sequence as ``siamattn test`` does.

    Args:
        model (SiamAttn): In eval mode.
        sequence (StoredSequence): N frames.
        sweep (ThresholdSweep, optional): Compares masks, if the sequence has
            them and the model makes them. Otherwise masks are computed only
            if ``test_cfg.report`` lets the boxes depend on them.
            Defaults to None.

    Returns:
        SequenceOutcome: Boxes, success, and J if there are masks.
    """
    boxes = np.empty((len(sequence), 4))
    boxes[0] = (
        sequence.first if len(sequence.first) == 4 else xywh_of(
            sequence.first))
    with_masks = (
        sweep is not None and sequence.masks is not None
        and model.makes_masks)
    values = np.full((len(sequence), len(sweep.thresholds)),
                     np.nan) if with_masks else None
    report = TrackingConfig.from_cfg(model.test_cfg).report
    needs_masks = with_masks or report.mask_share > 0
    with contextlib.nullcontext() if needs_masks else without_masks(model):
        session = model.new_session()
        session.start(sequence.frame(0), boxes[0])
        for i in range(1, len(sequence)):
            result = session.step(sequence.frame(i))
            boxes[i] = result.bbox
            if with_masks and not np.isnan(sequence.truth[i, 0]):
                values[i] = sweep.compare(result.soft_mask, sequence.masks[i])
    success = success_curve(box_iou(boxes, sequence.truth)).mean()
    mask_j = None
    if with_masks:
        mask_j = np.array([mean_region_similarity(v) for v in values.T])
        mask_j = None if np.isnan(mask_j).any() else mask_j
    return SequenceOutcome(boxes, float(success), mask_j)


def summarise(outcomes: List[SequenceOutcome],
              mask_weight: float) -> TrialOutcome:
    """Means over the sequences.

    Args:
        outcomes (list[SequenceOutcome]): One a sequence.
        mask_weight (float): What J at the best threshold counts beside
            success.

    Returns:
        TrialOutcome: The value to maximise, and what it is made of.
    """
    success = float(np.mean([outcome.success for outcome in outcomes]))
    masks = [o.mask_j for o in outcomes if o.mask_j is not None]
    mask_j = np.mean(masks, axis=0) if masks else None
    value = success
    if mask_j is not None:
        value += mask_weight * float(mask_j.max())
    return TrialOutcome(value, success, mask_j)


@contextlib.contextmanager
def without_masks(model: SiamAttn):
    """Leave the mask head out for a while.

    Args:
        model (SiamAttn): With or without a mask head.
    """
    if not model.makes_masks:
        yield
        return
    model.refine_head.with_mask = False
    try:
        yield
    finally:
        model.refine_head.with_mask = True
