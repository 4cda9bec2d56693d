"""VOT's supervised protocol (VOT2013 to VOT2019), on arrays.

A tracker that loses the target (no common pixel with the ground truth) has
failed; it is initialised again five frames later. One pass over a sequence of
N frames is a run: (N,) overlaps and (N,) states, one of

- ``INITIALISED``: the tracker was given the target;
- ``TRACKED``: it said where the target is, and the overlap counts;
- ``FAILED``: it lost the target;
- ``SKIPPED``: it was not asked.

Stochastic trackers pass 15 times over each sequence, deterministic ones once.
Figures are those of vot-toolkit's ``supervised_average_ar`` and
``supervised_eao_score``.
"""
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

# The first three are the codes in VOT's result files.
SKIPPED, INITIALISED, FAILED, TRACKED = range(4)

# Frames from a failure to the next initialisation.
SKIP_FRAMES = 5
# Frames from an initialisation on that do not count in the accuracy.
BURN_IN = 10
# First and last frame of a fragment over which EAO averages, by year.
EAO_INTERVALS = {
    2015: (108, 371),
    2016: (108, 371),
    2017: (100, 356),
    2018: (100, 356),
    2019: (46, 291),
}


class SupervisedRun(NamedTuple):
    """One pass over a sequence.

    Attributes:
        overlaps (ndarray): (N,) overlap of each frame; looked at only where
            the state is ``TRACKED``.
        states (ndarray): (N,) int, see the module.
    """
    overlaps: np.ndarray
    states: np.ndarray


def accuracy(run: SupervisedRun, burn_in: int = BURN_IN) -> float:
    """Mean overlap while the target is tracked.

    Args:
        run (SupervisedRun): One run.
        burn_in (int): Frames from each initialisation on, itself included,
            that do not count: there the tracker profits from it.
            Defaults to 10.

    Returns:
        float: 0 to 1; 0 if no frame counts, as in the toolkit.

    Raises:
        ValueError: As :func:`fragments`.
    """
    overlaps, states = _check(run)
    counts = states == TRACKED
    for start in np.flatnonzero(states == INITIALISED):
        counts[start:start + burn_in] = False
    return float(overlaps[counts].mean()) if counts.any() else 0.


def count_failures(run: SupervisedRun) -> int:
    """How often the target was lost in one run."""
    return int(np.count_nonzero(_check(run)[1] == FAILED))


def robustness(runs: Sequence[SupervisedRun]) -> float:
    """Failures per 100 frames (lower is better), as papers report it.

    Args:
        runs (Sequence[SupervisedRun]): Of one or more sequences.

    Returns:
        float: 0 to 100, all failures divided by all frames, times 100.

    Raises:
        ValueError: If there is no run, or as :func:`fragments`.
    """
    _check_any(runs)
    failures = sum(count_failures(run) for run in runs)
    return 100 * failures / sum(len(run.states) for run in runs)


def fragments(run: SupervisedRun) -> List[Tuple[np.ndarray, bool]]:
    """Cut a run at its failures.

    Args:
        run (SupervisedRun): One run.

    Returns:
        list[tuple[ndarray, bool]]: Overlaps from an initialisation to the
        frame before the failure, or to the end of the sequence, and whether
        it is the latter.

    Raises:
        ValueError: If overlaps and states are not (N,) each, do not start
            with an initialisation, or failures and initialisations do not
            take turns.
    """
    overlaps, states = _check(run)
    overlaps = np.where(states == TRACKED, overlaps, 0)
    starts = np.flatnonzero(states == INITIALISED)
    ends = np.flatnonzero(states == FAILED)
    pieces = [(overlaps[start:end], False)
              for start, end in zip(starts, ends)]
    if len(starts) > len(ends):
        pieces.append((overlaps[starts[-1]:], True))
    return pieces


def expected_overlap_curve(runs: Sequence[SupervisedRun]) -> np.ndarray:
    """Overlap to expect on average over the first frames of a sequence.

    A fragment that ended with a failure counts with overlap 0 from there on;
    one that ended with its sequence counts up to there only.

    Args:
        runs (Sequence[SupervisedRun]): All runs of all sequences.

    Returns:
        ndarray: (L,), entry n the mean over fragments of their mean overlap
        in the frames 1 to n behind the initialisation; entry 0 is 0. L is the
        length of the longest fragment.

    Raises:
        ValueError: If there is no run, or as :func:`fragments`.
    """
    _check_any(runs)
    pieces = [piece for run in runs for piece in fragments(run)]
    length = max(len(overlaps) for overlaps, _ in pieces)
    total, weight = np.zeros(length), np.zeros(length)
    frames = np.arange(1, length)
    for overlaps, is_whole in pieces:
        padded = np.zeros(length)
        padded[:len(overlaps)] = overlaps
        mean = np.concatenate([padded[:1], padded[1:].cumsum() / frames])
        end = len(overlaps) if is_whole else length
        total[:end] += mean[:end]
        weight[:end] += 1
    return total / weight


def expected_average_overlap(runs: Sequence[SupervisedRun],
                             interval: Tuple[int, int]) -> float:
    """EAO: the mean of the curve over typical lengths of a sequence.

    Args:
        runs (Sequence[SupervisedRun]): All runs of all sequences.
        interval (tuple[int, int]): First and last frame, e.g.
            ``EAO_INTERVALS[2018]``.

    Returns:
        float: 0 to 1; nan if no fragment is as long as the interval's start.

    Raises:
        ValueError: As :func:`expected_overlap_curve`.
    """
    low, high = interval
    part = expected_overlap_curve(runs)[low:high + 1]
    return float(part.mean()) if len(part) else float('nan')


def evaluate_supervised(
        sequences: Sequence[Sequence[SupervisedRun]],
        interval: Optional[Tuple[int, int]] = None,
        burn_in: int = BURN_IN) -> Dict[str, float]:
    """All figures of a data set.

    Args:
        sequences (Sequence[Sequence[SupervisedRun]]): The runs of each
            sequence.
        interval (tuple[int, int], optional): Of EAO. Defaults to None: no
            EAO.
        burn_in (int): See :func:`accuracy`. Defaults to 10.

    Returns:
        dict[str, float]: Means over a sequence's runs, then over sequences,
        weighted by their lengths:

        - ``accuracy``: See :func:`accuracy`;
        - ``failures``: Failures in a sequence, vot-toolkit's *robustness*;
        - ``robustness``: Failures per 100 frames, that of papers;
        - ``eao``: See :func:`expected_average_overlap`.

    Raises:
        ValueError: If there is no sequence, one without a run, or as
            :func:`fragments`.
    """
    _check_any(sequences)
    for runs in sequences:
        _check_any(runs)
    lengths = [len(runs[0].states) for runs in sequences]
    failures = [np.mean([count_failures(run) for run in runs])
                for runs in sequences]
    figures = dict(
        accuracy=float(
            np.average([
                np.mean([accuracy(run, burn_in) for run in runs])
                for runs in sequences
            ], weights=lengths)),
        failures=float(np.average(failures, weights=lengths)),
        robustness=float(100 * np.sum(failures) / np.sum(lengths)))
    if interval is not None:
        figures['eao'] = expected_average_overlap(
            [run for runs in sequences for run in runs], interval)
    return figures


def _check(run: SupervisedRun) -> Tuple[np.ndarray, np.ndarray]:
    overlaps = np.asarray(run.overlaps, np.float64)
    states = np.asarray(run.states)
    if overlaps.ndim != 1 or overlaps.shape != states.shape:
        raise ValueError(f'a run is (N,) overlaps and (N,) states, but got '
                         f'{overlaps.shape} and {states.shape}')
    if len(states) == 0 or states[0] != INITIALISED:
        raise ValueError('a run starts with an initialisation')
    turns = states[np.isin(states, (INITIALISED, FAILED))]
    if (turns[1:] == turns[:-1]).any():
        raise ValueError('initialisations and failures must take turns in a '
                         f'run, but got the states {turns.tolist()}')
    return overlaps, states


def _check_any(items: Sequence) -> None:
    if not len(items):
        raise ValueError('there is nothing to evaluate: no run was given')
