"""Figures and curves of a tracker, by sequence and on average."""
import os.path as osp
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from siamattn_mm.datasets.reading.image_reader import ImageReader
from siamattn_mm.evaluation.functional import (
    box_iou,
    center_error,
    evaluate_ope,
    mean_region_similarity,
    normalised_center_error,
    precision_curve,
    region_similarity,
    success_curve,
)
from siamattn_mm.evaluation.functional.ope import NORM_PRECISION_THRESHOLDS
from siamattn_mm.evaluation.metrics.data_samples import read_true_mask
from siamattn_mm.evaluation.sequence_scores import POOLED, num_overlaps

from .result_folder import ResultFolder, ResultFolderError, SequenceResult
from .sequences import ReportSequence

CURVES = ('success', 'norm_precision', 'precision')


class ScoredSequence(NamedTuple):
    """One tracker on one sequence.

    Attributes:
        result (SequenceResult): What it said.
        iou (ndarray): (N,), nan where the target is absent.
        figures (dict[str, float]): By name; nan where not known.
        curves (dict[str, ndarray]): By the names in :data:`CURVES`.
    """
    result: SequenceResult
    iou: np.ndarray
    figures: Dict[str, float]
    curves: Dict[str, np.ndarray]


class ScoredTracker(NamedTuple):
    """One tracker on all sequences.

    Attributes:
        name (str): Of the tracker.
        sequences (list[ScoredSequence]): In the order of the report.
        figures (dict[str, float]): Means over the sequences (AO and SR, if
            so asked, over all frames); ``fps`` is all frames divided by all
            seconds.
        curves (dict[str, ndarray]): Means over the sequences.
    """
    name: str
    sequences: List[ScoredSequence]
    figures: Dict[str, float]
    curves: Dict[str, np.ndarray]


def score_tracker(folder: ResultFolder,
                  sequences: Sequence[ReportSequence],
                  absent_frames: str = 'skip',
                  ao: str = 'sequences') -> ScoredTracker:
    """Read and score all sequences.

    Args:
        folder (ResultFolder): The tracker's.
        sequences (Sequence[ReportSequence]): All of them are in the folder.
        absent_frames (str): See ``evaluate_ope``. Defaults to 'skip'.
        ao (str): See ``OPEMetric``. Defaults to 'sequences'.

    Returns:
        ScoredTracker: Figures and curves, of all and of each sequence.

    Raises:
        ResultFolderError: If a result file or mask is not as expected.
    """
    scored = [
        _score(folder.read(sequence.name, len(sequence.data)), sequence,
               absent_frames, ao) for sequence in sequences
    ]
    curves = {
        name: _nanmean([s.curves[name] for s in scored]) for name in CURVES
    }
    figures = average(scored)
    if ao == 'got10k':
        weights = [num_overlaps(sequence.truth) for sequence in sequences]
        for name in POOLED:
            figures[name] = _weighted([s.figures[name] for s in scored],
                                      weights)
    return ScoredTracker(folder.name, scored, figures, curves)


def average(scored: Sequence[ScoredSequence]) -> Dict[str, float]:
    """Mean figures of some sequences.

    Args:
        scored (Sequence[ScoredSequence]): At least one.

    Returns:
        dict[str, float]: By name; nan where nothing is known.
    """
    figures = {
        name: float(_nanmean([s.figures[name] for s in scored]))
        for name in scored[0].figures
    }
    figures['fps'] = _rate([s.result.times for s in scored])
    return figures


def _score(result: SequenceResult, sequence: ReportSequence,
           absent_frames: str, ao: str) -> ScoredSequence:
    truth = sequence.truth
    size = sequence.image_size if ao == 'got10k' else None
    figures = evaluate_ope(result.boxes, truth, absent_frames, size)
    figures['J'] = _mask_overlap(result, sequence)
    figures['fps'] = _rate([result.times])
    figures.update(_score_medians(result, truth))
    return ScoredSequence(result, box_iou(result.boxes, truth), figures,
                          _curves(result.boxes, truth, absent_frames))


def _curves(boxes: np.ndarray, truth: np.ndarray,
            absent_frames: str) -> Dict[str, np.ndarray]:
    """The curves whose means, or values at 20 pixels, the figures are."""
    share = 1.
    if absent_frames == 'otb':
        # There, a frame without the target, or with a box at the border, has
        # overlap 0 and error 0.
        annotated = (truth > 0).all(axis=1)
        share = float(annotated.mean())
        truth = np.where(annotated[:, None], truth, np.nan)
    error = center_error(boxes, truth)
    relative = normalised_center_error(boxes, truth)
    return dict(
        success=success_curve(box_iou(boxes, truth)) * share,
        norm_precision=precision_curve(relative, NORM_PRECISION_THRESHOLDS) *
        share + 1 - share,
        precision=precision_curve(error) * share + 1 - share)


def _score_medians(result: SequenceResult,
                   truth: np.ndarray) -> Dict[str, float]:
    """Of the score, without and with the target, if it is ever absent."""
    absent = np.isnan(truth[:, 0])
    medians = dict(absent_score=np.nan, visible_score=np.nan)
    if result.scores is not None and absent.any():
        for key, frames in (('absent_score', absent),
                            ('visible_score', ~absent)):
            chosen = result.scores[1:][frames[1:]]
            if len(chosen):
                medians[key] = float(np.median(chosen))
    return medians


def _mask_overlap(result: SequenceResult, sequence: ReportSequence) -> float:
    """Mean J, if both the tracker and the ground truth have masks."""
    if result.mask_folder is None or sequence.data.mask_names is None:
        return float('nan')
    object_id = getattr(sequence.data, 'object_id', None)
    reader = ImageReader()
    values = np.full(len(sequence.data), np.nan)
    found = False
    for i, visible in enumerate(sequence.data.visible):
        path = sequence.data.mask_path(i)
        if path is None or not visible:
            continue
        truth = read_true_mask(reader, path, object_id)
        mask = _read_mask(result.mask_folder, sequence.data.frame_path(i),
                          reader)
        found = found or mask is not None
        if mask is None:
            values[i] = 0.
        elif mask.shape != truth.shape:
            raise ResultFolderError(
                f'{result.mask_folder}: mask {i} of shape {mask.shape}, but '
                f'the ground truth has {truth.shape}')
        else:
            values[i] = region_similarity(mask, truth)
    return mean_region_similarity(values) if found else float('nan')


def _read_mask(folder: str, frame_path: str,
               reader: ImageReader) -> Optional[np.ndarray]:
    stem = osp.splitext(osp.basename(frame_path))[0]
    path = osp.join(folder, f'{stem}.png')
    return reader.mask(path) > 0 if osp.isfile(path) else None


def _rate(times: Sequence[Optional[np.ndarray]]) -> float:
    """Frames a second, the first of each sequence left out."""
    known = [t[1:] for t in times if t is not None]
    seconds = sum(t.sum() for t in known)
    return float(sum(len(t) for t in known) / seconds) if seconds else np.nan


def _weighted(values: Sequence[float], weights: Sequence[int]) -> float:
    """Weighted mean of those that are known."""
    known = ~np.isnan(values)
    if not known.any():
        return float('nan')
    return float(
        np.average(np.asarray(values)[known],
                   weights=np.asarray(weights)[known]))


def _nanmean(values: list) -> np.ndarray:
    """Mean over the first axis; nan, without a warning, of nothing."""
    array = np.asarray(values, np.float64)
    count = (~np.isnan(array)).sum(axis=0)
    with np.errstate(invalid='ignore'):
        return np.nansum(array, axis=0) / count
