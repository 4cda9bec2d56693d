"""Figures of many runs, with their standard errors."""
from typing import Any, Dict, List, NamedTuple, Sequence

import numpy as np

from .functional import (
    box_iou,
    mean_region_similarity,
    region_similarity,
    success_curve,
)
from .starts import FIRST

# A frame in which less of the target is in the box has lost it.
KEPT_IOU = 0.1
METRICS = ('success', 'kept', 'j')


class Estimate(NamedTuple):
    """A mean over sequences.

    Attributes:
        mean (float): Of the sequences' means over their starts; nan without
            any.
        error (float): Its standard error; nan for fewer than two sequences.
        sequences (int): How many have the figure.
    """
    mean: float
    error: float
    sequences: int

    def __str__(self) -> str:
        return f'{self.mean:.3f} ± {self.error:.3f}'


class LostFrames(NamedTuple):
    """How a tracker's "lost" fits where the target and its box are.

    Attributes:
        absent (int): Frames of all runs in which the target is not visible.
        said (int): Those in which the tracker says that it is lost.
        right (int): Those that are both.
        off (int): Frames behind the first in which the box is not on the
            target: it is absent, or the overlap is 0.1 or less.
        said_off (int): Those of them in which the tracker says so.
    """
    absent: int
    said: int
    right: int
    off: int
    said_off: int

    @property
    def precision(self) -> float:
        """float: Share of what was said that is right; nan without any."""
        return _share(self.right, self.said)

    @property
    def recall(self) -> float:
        """float: Share of what is absent that was said; nan without any."""
        return _share(self.right, self.absent)

    @property
    def off_precision(self) -> float:
        """float: Share of what was said whose box is not on the target."""
        return _share(self.said_off, self.said)

    @property
    def off_recall(self) -> float:
        """float: Share of the boxes not on the target that was said."""
        return _share(self.said_off, self.off)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan


def score_run(boxes: np.ndarray,
              truth: np.ndarray,
              mask_ious: Sequence[float] = (),
              lost: Sequence[bool] = ()) -> Dict[str, float]:
    """Figures of one run.

    Args:
        boxes (ndarray): (N, 4) predicted x, y, w, h; the first was given.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.
        mask_ious (Sequence[float]): (N,) J of each frame, nan where nothing
            is annotated. Defaults to (): no masks.
        lost (Sequence[bool]): (N,) whether the tracker said that the target
            is lost. Defaults to (): not asked.

    Returns:
        dict[str, float]: ``success`` (area under the curve of 21 overlaps,
        the first frame counts, as in ``OPEMetric``), ``kept`` (share of the
        frames behind the first whose overlap is above 0.1; nan if there are
        none), with masks ``j``, and with ``lost`` the numbers of
        :class:`LostFrames`.
    """
    ious = box_iou(boxes, truth)
    behind = ious[1:][~np.isnan(ious[1:])]
    scores = dict(
        success=float(success_curve(ious).mean()),
        kept=float((behind > KEPT_IOU).mean()) if len(behind) else np.nan)
    if len(mask_ious):
        scores['j'] = mean_region_similarity(np.asarray(mask_ious))
    if len(lost):
        absent, said = np.isnan(truth).any(1), np.asarray(lost, bool)
        off = absent | (np.nan_to_num(ious) <= KEPT_IOU)
        off[0] = False
        scores.update(
            absent=int(absent.sum()),
            said=int(said.sum()),
            right=int((absent & said).sum()),
            off=int(off.sum()),
            said_off=int((off & said).sum()))
    return scores


def track_run(tracker: Any, sequence: Any, reader: Any) -> Dict[str, float]:
    """Track a sequence once, and score it.

    Args:
        tracker (Tracker): ``init`` and ``update``.
        sequence (TrackingSequence): Visible in the first frame.
        reader (ImageReader): Of frames and masks.

    Returns:
        dict[str, float]: See :func:`score_run`.
    """
    first = (sequence.boxes if sequence.polygons is None else
             sequence.polygons)[0]
    boxes, ious, lost = np.empty((len(sequence), 4)), [], [False]
    boxes[0] = sequence.boxes[0]
    tracker.init(reader.image(sequence.frame_path(0)), first)
    for index in range(1, len(sequence)):
        result = tracker.update(reader.image(sequence.frame_path(index)))
        boxes[index] = result.bbox
        lost.append(result.lost)
        if sequence.mask_names is None or result.mask is None:
            continue
        ious.append(
            region_similarity(result.mask,
                              reader.mask(sequence.mask_path(index)) > 0)
            if sequence.visible[index] else np.nan)
    return score_run(boxes, sequence.boxes, [1., *ious] if ious else (), lost)


def estimate(rows: Sequence[Dict[str, Any]], metric: str) -> Estimate:
    """Mean over the sequences of their means over the starts.

    The standard error is that of a mean over sequences: what another choice
    of such sequences would change.

    Args:
        rows (Sequence[dict]): A run each: ``sequence``, ``start`` and its
            figures.
        metric (str): One of ``METRICS``.

    Returns:
        Estimate: See there.
    """
    return _over_sequences(_by_sequence(rows, metric).values())


def lost_frames(rows: Sequence[Dict[str, Any]]) -> LostFrames:
    """Count over all runs.

    Args:
        rows (Sequence[dict]): Of :func:`estimate`.

    Returns:
        LostFrames: Of those that have the numbers.
    """
    return LostFrames(*(sum(row.get(name, 0) for row in rows)
                        for name in LostFrames._fields))


def difference(rows: Sequence[Dict[str, Any]],
               others: Sequence[Dict[str, Any]], metric: str) -> Estimate:
    """How much better the same runs are with one tracker than with another.

    What is hard for both counts for neither, so that the error is smaller
    than those of the two means. Less than two of it is no progress.

    Args:
        rows (Sequence[dict]): Of :func:`estimate`.
        others (Sequence[dict]): Those of the other.
        metric (str): One of ``METRICS``.

    Returns:
        Estimate: Of the runs that both have.
    """
    before = {(row['sequence'], row['start']): row.get(metric, np.nan)
              for row in others}
    both = [
        dict(row, **{
            metric:
            row.get(metric, np.nan) - before[row['sequence'], row['start']]
        }) for row in rows if (row['sequence'], row['start']) in before
    ]
    return _over_sequences(_by_sequence(both, metric).values())


def first_starts(rows: Sequence[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Leave out all starts but the first frame.

    Args:
        rows (Sequence[dict]): Of :func:`estimate`.

    Returns:
        list[dict]: The runs from the first frame alone, as others report.
    """
    return [row for row in rows if row['start'] == FIRST]


def _by_sequence(rows: Sequence[Dict[str, Any]],
                 metric: str) -> Dict[str, List[float]]:
    values: Dict[str, List[float]] = {}
    for row in rows:
        value = row.get(metric, np.nan)
        if not np.isnan(value):
            values.setdefault(row['sequence'], []).append(value)
    return values


def _over_sequences(values: Any) -> Estimate:
    means = np.array([np.mean(runs) for runs in values])
    number = len(means)
    return Estimate(
        float(means.mean()) if number else np.nan,
        float(means.std(ddof=1) / np.sqrt(number)) if number > 1 else np.nan,
        number)
