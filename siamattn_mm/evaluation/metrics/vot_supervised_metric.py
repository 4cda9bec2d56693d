"""Accuracy, robustness and EAO of VOT's supervised experiment."""
import os.path as osp
import shutil
from itertools import groupby
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.logging import MMLogger
from mmtrack.evaluation.metrics import BaseVideoMetric
from mmtrack.registry import METRICS
from tabulate import tabulate

from ..functional.vot import (
    BURN_IN,
    EAO_INTERVALS,
    TRACKED,
    SupervisedRun,
    accuracy,
    count_failures,
    evaluate_supervised,
)
from ..result_files import write_lines
from .data_samples import out_of_order, runner_work_dir, sequence_name
from .sequence_files import SequenceFilesMixin


class _Pass:
    """What is known of one pass over a sequence of N frames."""

    def __init__(self, name: str, video_id: int, repetition: int,
                 length: int) -> None:
        self.name = name
        self.video_id = video_id
        self.repetition = repetition
        self.length = length
        self.overlaps: List[float] = []
        self.states: List[int] = []
        self.regions: List[Optional[np.ndarray]] = []
        self.times: List[float] = []

    @property
    def run(self) -> SupervisedRun:
        return SupervisedRun(np.array(self.overlaps), np.array(self.states))


@METRICS.register_module()
class VOTSupervisedMetric(SequenceFilesMixin, BaseVideoMetric):
    """VOT's accuracy, robustness (failures) and expected average overlap.

    Needs ``test_cfg = dict(type='VOTSupervisedLoop')``, which starts the
    tracker again after failures. The figures are those of
    :func:`siamattn_mm.evaluation.evaluate_supervised`. As soon as a sequence
    is complete, it is written in the toolkit's format:

    - ``<results_dir>/<sequence>/<sequence>_001.txt``: a line per frame, ``1``
      (initialised), ``2`` (failed), ``0`` (skipped) or the region;
    - ``<results_dir>/<sequence>/<sequence>_001_time.value``: seconds in the
      tracker, if the model says them.

    Args:
        interval (int | tuple[int, int] | None): Of EAO: a year (2015 to 2019)
            or first and last frame; None: no EAO. Defaults to 2018.
        burn_in (int): Frames from each initialisation on that do not count in
            the accuracy. Defaults to 10.
        results_dir (str, optional): Where the files go. Defaults to None:
            ``results/baseline`` in the work dir of the running Runner.
        collect_device (str): See mmengine's ``BaseMetric``.
            Defaults to 'cpu'.
        prefix (str, optional): Put before the names of the figures.
            Defaults to None: 'vot'.

    Raises:
        ValueError: If ``interval`` is a year without one, or no interval.
    """
    default_prefix = 'vot'

    def __init__(self,
                 interval: Union[int, Tuple[int, int], None] = 2018,
                 burn_in: int = BURN_IN,
                 results_dir: Optional[str] = None,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.interval = _check_interval(interval)
        self.burn_in = burn_in
        self.results_dir = results_dir
        self._pass: Optional[_Pass] = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take in the next frames.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): Outputs as ``VOTSupervisedLoop``
                leaves them, as dicts.

        Raises:
            ValueError: If they come from another loop, or in another order.
        """
        for data_sample in data_samples:
            if 'vot_state' not in data_sample:
                raise ValueError('VOTSupervisedMetric needs a loop that '
                                 'starts the tracker again after failures: '
                                 'test_cfg = dict(type="VOTSupervisedLoop")')
            current = self._pass_of(data_sample)
            current.overlaps.append(data_sample['vot_overlap'])
            current.states.append(data_sample['vot_state'])
            current.regions.append(data_sample['vot_region'])
            current.times.append(data_sample.get('track_time', np.nan))
            if len(current.states) == current.length:
                self._write(current)
                self.results.append(current)
                self._pass = None

    def compute_metrics(self, results: List[_Pass]) -> Dict[str, float]:
        """Compute and print the figures.

        Args:
            results (list): All complete passes.

        Returns:
            dict[str, float]: See :func:`evaluate_supervised`.

        Raises:
            ValueError: If no sequence is complete.
        """
        if not results:
            raise ValueError('no sequence was tracked to its end: there is '
                             'nothing to evaluate')
        results = sorted(
            results, key=lambda item: (item.video_id, item.repetition))
        sequences = [
            list(passes)
            for _, passes in groupby(results, lambda item: item.video_id)
        ]
        figures = evaluate_supervised(
            [[item.run for item in passes] for passes in sequences],
            self.interval, self.burn_in)
        logger: MMLogger = MMLogger.get_current_instance()
        logger.info('\n' + self._table(sequences, figures))
        logger.info(f'results of each sequence are in {self._results_dir()}')
        return figures

    def has_files(self, results: List[_Pass]) -> bool:
        """Whether all files of a finished sequence are there.

        Args:
            results (list): Its passes.

        Returns:
            bool: False if it must be tracked again.
        """
        return bool(results) and all(
            osp.isfile(path) for item in results for path in self._files(item))

    def remove_files(self, sequence: str) -> None:
        """Remove what an earlier run has written of a sequence.

        Args:
            sequence (str): Its name.
        """
        folder = osp.join(self._results_dir(), sequence)
        if osp.isdir(folder):
            shutil.rmtree(folder)

    def _pass_of(self, data_sample: dict) -> _Pass:
        frame_id = data_sample['frame_id']
        video_id = data_sample['video_id']
        repetition = data_sample['vot_repetition']
        if frame_id == 0:
            self._results_dir()  # fails now, not after the first sequence
            self._pass = _Pass(
                sequence_name(data_sample), video_id, repetition,
                data_sample['video_length'])
        current = self._pass
        if (current is None or len(current.states) != frame_id
                or (current.video_id, current.repetition)
                != (video_id, repetition)):
            raise out_of_order(data_sample, 'VOTSupervisedMetric')
        return current

    def _table(self, sequences: List[List[_Pass]],
               figures: Dict[str, float]) -> str:
        rows, frames, failures = [], 0, 0.
        for passes in sequences:
            length = passes[0].length
            mean = np.mean([accuracy(p.run, self.burn_in) for p in passes])
            failed = np.mean([count_failures(p.run) for p in passes])
            rows.append([passes[0].name, length, f'{mean:.3f}',
                         f'{failed:.1f}'])
            frames, failures = frames + length, failures + failed
        rows.append([f'all {len(sequences)}', frames,
                     f'{figures["accuracy"]:.3f}', f'{failures:.1f}'])
        lines = [
            tabulate(
                rows,
                headers=('sequence', 'frames', 'accuracy', 'failures'),
                disable_numparse=True,
                colalign=('left', 'right', 'right', 'right')),
            f'{figures["robustness"]:.3f} failures per 100 frames'
        ]
        if self.interval is not None:
            low, high = self.interval
            lines.append(
                f'EAO {figures["eao"]:.3f} over the frames {low} to {high}')
        return '\n'.join(lines)

    def _files(self, item: _Pass) -> List[str]:
        """Trajectory and, if they are known, times."""
        base = osp.join(self._results_dir(), item.name,
                        f'{item.name}_{item.repetition + 1:03d}')
        times = [] if np.isnan(item.times).all() else [f'{base}_time.value']
        return [f'{base}.txt'] + times

    def _write(self, item: _Pass) -> None:
        trajectory, *times = self._files(item)
        for path in times:
            write_lines(path, [
                '' if np.isnan(seconds) else f'{seconds:.6f}'
                for seconds in item.times
            ])
        # Last, so that a sequence that has it has all of them.
        write_lines(trajectory, [
            ','.join(f'{number:.4f}' for number in region)
            if state == TRACKED else str(state)
            for state, region in zip(item.states, item.regions)
        ])

    def _results_dir(self) -> str:
        if self.results_dir is not None:
            return self.results_dir
        return osp.join(
            runner_work_dir('VOTSupervisedMetric'), 'results', 'baseline')


def _check_interval(
    interval: Union[int, Tuple[int, int], None]
) -> Optional[Tuple[int, int]]:
    if interval is None:
        return None
    if isinstance(interval, int):
        if interval not in EAO_INTERVALS:
            raise ValueError(
                f'VOT{interval} has no EAO interval of the supervised '
                'experiment; there are '
                f'{", ".join(str(year) for year in EAO_INTERVALS)}')
        return EAO_INTERVALS[interval]
    if len(interval) != 2 or not 0 < interval[0] <= interval[1]:
        raise ValueError('interval is a year, or the numbers of the first '
                         f'and the last frame, but got {interval!r}')
    return interval[0], interval[1]
