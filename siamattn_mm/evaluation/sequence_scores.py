"""Figures of sequences, their mean, and the table of both."""
from typing import Dict, List

import numpy as np
from tabulate import tabulate

from .functional import evaluate_ope, mean_region_similarity
from .sequence_record import SequenceRecord

# Key of the figures, heading of the table.
_COLUMNS = (('success', 'success'), ('norm_precision', 'norm P'),
            ('precision', 'P@20'), ('AO', 'AO'), ('SR0.5', 'SR.50'),
            ('SR0.75', 'SR.75'), ('J', 'J'), ('fps', 'fps'))
# What got10k's toolkit averages over the frames of all sequences.
POOLED = ('AO', 'SR0.5', 'SR0.75')


def score_sequence(record: SequenceRecord,
                   mask_exclude_first: bool = True,
                   mask_exclude_last: bool = True,
                   absent_frames: str = 'skip',
                   ao: str = 'sequences') -> Dict[str, float]:
    """All figures of one sequence.

    Args:
        record (SequenceRecord): A complete sequence.
        mask_exclude_first (bool): Leave the first frame out of J.
            Defaults to True.
        mask_exclude_last (bool): Leave the last frame out of J.
            Defaults to True.
        absent_frames (str): See :func:`.functional.evaluate_ope`.
            Defaults to 'skip'.
        ao (str): ``'sequences'``: AO and SR of whole boxes; ``'got10k'``: of
            what is inside the image, see :func:`.functional.evaluate_ope`.
            Defaults to 'sequences'.

    Returns:
        dict[str, float]: Those of :func:`.functional.evaluate_ope`; ``J``;
        ``fps``, in the tracker alone, and ``fps_end_to_end``, with loading
        but without this evaluation, both without the first frame; and
        ``absent_score_median`` and ``visible_score_median``, medians of the
        score over the frames without and with the target, the first left
        out, if it is ever absent. nan where something is not known.
    """
    scores = evaluate_ope(
        record.pred, record.truth, absent_frames,
        record.image_size if ao == 'got10k' else None)
    scores['J'] = mean_region_similarity(
        record.mask_ious, mask_exclude_first,
        mask_exclude_last) if record.num_masks else np.nan
    scores['fps'] = _rate([record.track_times])
    scores['fps_end_to_end'] = _rate([record.wall_times])
    absent = np.isnan(record.truth).any(axis=1)
    seen = ~absent if absent.any() else np.zeros_like(absent)
    # In the first frame there is nothing to be sure of: many trackers put a
    # constant there.
    for key, frames in (('absent_score_median', absent),
                        ('visible_score_median', seen)):
        chosen = record.scores[1:][frames[1:]]
        scores[key] = float(np.median(chosen)) if len(chosen) else np.nan
    return scores


def average_scores(records: List[SequenceRecord],
                   scores: List[Dict[str, float]],
                   ao: str = 'sequences') -> Dict[str, float]:
    """Figures of a data set: the mean over its sequences.

    Frames a second are all frames divided by all seconds.

    Args:
        records (list[SequenceRecord]): The sequences.
        scores (list[dict[str, float]]): Their figures, from
            :func:`score_sequence`.
        ao (str): ``'sequences'``: AO and SR are means over the sequences,
            too; ``'got10k'``: over the frames of all sequences together.
            Defaults to 'sequences'.

    Returns:
        dict[str, float]: The same keys, without those that are nan in every
        sequence.
    """
    frames = np.array([num_overlaps(record.truth) for record in records])
    mean = {}
    for key in scores[0]:
        values = np.array([score[key] for score in scores])
        known = ~np.isnan(values)
        weights = None
        if ao == 'got10k' and key in POOLED:
            weights = frames[known]
        if known.any():
            mean[key] = float(np.average(values[known], weights=weights))
    for key, times in (('fps', [record.track_times for record in records]),
                       ('fps_end_to_end',
                        [record.wall_times for record in records])):
        if key in mean:
            mean[key] = _rate(times)
    return mean


def average_by_attribute(
        records: List[SequenceRecord],
        scores: List[Dict[str, float]],
        attributes: Dict[str, List[str]],
        ao: str = 'sequences') -> Dict[str, Dict[str, float]]:
    """Figures of the sequences that have an attribute, for each attribute.

    Args:
        records (list[SequenceRecord]): The sequences.
        scores (list[dict[str, float]]): Their figures.
        attributes (dict[str, list[str]]): Attributes by sequence.
        ao (str): As for :func:`average_scores`. Defaults to 'sequences'.

    Returns:
        dict[str, dict[str, float]]: By attribute, in the order of their
        names: ``sequences``, how many have it, and the means of
        :func:`average_scores`.
    """
    table = {}
    for attribute in sorted(set(sum(attributes.values(), []))):
        chosen = [
            i for i, record in enumerate(records)
            if attribute in attributes.get(record.name, [])
        ]
        if chosen:
            table[attribute] = dict(
                sequences=len(chosen),
                **average_scores([records[i] for i in chosen],
                                 [scores[i] for i in chosen], ao))
    return table


def num_overlaps(truth: np.ndarray) -> int:
    """How many frames count in AO and SR.

    Args:
        truth (ndarray): (N, 4) x, y, w, h, nan where the target is absent.

    Returns:
        int: Those with the target, the first left out.
    """
    # A comparison with nan is False.
    return int((truth[1:, 2:] > 0).all(axis=1).sum())


def format_attribute_table(table: Dict[str, Dict[str, float]]) -> str:
    """The figures of each attribute as text.

    Args:
        table (dict[str, dict[str, float]]): From
            :func:`average_by_attribute`.

    Returns:
        str: One attribute a row.
    """
    columns = [(key, heading) for key, heading in _COLUMNS[:3]
               if any(key in figures for figures in table.values())]
    nothing = dict.fromkeys((key for key, _ in columns), np.nan)
    return tabulate(
        [[name, figures['sequences']] +
         _cells({**nothing, **figures}, columns)
         for name, figures in table.items()],
        headers=['attribute', 'sequences'] + [h for _, h in columns],
        disable_numparse=True,
        colalign=['left'] + ['right'] * (len(columns) + 1))


def format_table(records: List[SequenceRecord],
                 scores: List[Dict[str, float]],
                 mean: Dict[str, float]) -> str:
    """The figures as text, one sequence a row, then the mean.

    Args:
        records (list[SequenceRecord]): The sequences.
        scores (list[dict[str, float]]): Their figures.
        mean (dict[str, float]): The data set's.

    Returns:
        str: A table, without the columns that nothing is known of, and a line
        for each sequence with absent frames.
    """
    columns = [(key, heading) for key, heading in _COLUMNS if key in mean]
    rows = [[record.name, record.length] + _cells(score, columns)
            for record, score in zip(records, scores)]
    total = sum(record.length for record in records)
    rows.append([f'mean of {len(records)}', total] + _cells(mean, columns))
    headings = ['sequence', 'frames'] + [heading for _, heading in columns]
    lines = [
        tabulate(
            rows,
            headers=headings,
            disable_numparse=True,
            colalign=['left'] + ['right'] * (len(headings) - 1))
    ]
    for record, score in zip(records, scores):
        absent = int(np.isnan(record.truth).any(axis=1).sum())
        if absent:
            lines.append(
                f'{record.name}: median score '
                f'{score["absent_score_median"]:.3f} over {absent} frames '
                f'without the target, {score["visible_score_median"]:.3f} '
                f'over the other {record.length - 1 - absent} (first left '
                'out)')
    if 'fps_end_to_end' in mean:
        lines.append(f'{mean["fps_end_to_end"]:.1f} frames a second end to '
                     'end (fps: tracker alone)')
    return '\n'.join(lines)


def _cells(scores: Dict[str, float], columns: list) -> List[str]:
    cells = []
    for key, _ in columns:
        value = scores[key]
        digits = 1 if key == 'fps' else 3
        cells.append('-' if np.isnan(value) else f'{value:.{digits}f}')
    return cells


def _rate(times: List[np.ndarray]) -> float:
    known = np.concatenate([t[1:] for t in times])
    known = known[~np.isnan(known)]
    if known.sum() <= 0:
        return float('nan')
    return float(len(known) / known.sum())
