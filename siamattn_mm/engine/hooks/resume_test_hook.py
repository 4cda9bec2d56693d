"""Go on with a test where an interrupted one stopped."""
import os.path as osp
from typing import Dict, List, Optional, Sequence

from mmengine.dist import barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmtrack.registry import HOOKS

from siamattn_mm.datasets.samplers import SequenceSampler
from siamattn_mm.evaluation.finished_sequences import (
    FinishedSequences,
    fingerprint_of,
)
from siamattn_mm.evaluation.metrics.sequence_files import SequenceFilesMixin


@HOOKS.register_module()
class ResumeTestHook(Hook):
    """Remembers which sequences of a test are finished.

    As soon as a sequence is through, what the metrics have of it is written
    to ``<work_dir>/finished/``, with a fingerprint of the config, the
    weights and the annotations. With ``resume=True``, sequences that an
    earlier run in this work dir finished with the same fingerprint are not
    tracked again. What a run with another fingerprint left of any sequence,
    result files included, is removed at the start: results of two
    checkpoints are never mixed.

    It works with any test loop, ``SequenceSampler``, and metrics that append
    to their ``results`` while or when a sequence is tracked. With another
    sampler it does nothing.

    Args:
        resume (bool): Whether to take over finished sequences.
            Defaults to False: all are tracked, and a message says how many
            need not have been.
    """

    def __init__(self, resume: bool = False) -> None:
        self.resume = resume
        self._finished: Optional[FinishedSequences] = None
        self._names: List[str] = []
        self._num_taken: List[int] = []

    def before_test_epoch(self, runner: Runner) -> None:
        """Look for what is finished.

        Args:
            runner (Runner): With the weights loaded.

        Raises:
            ValueError: If ``resume`` is set, but the sampler or the loop
                cannot leave out sequences.
        """
        loop = runner.test_loop
        reason = _why_not(loop)
        if reason is not None:
            if self.resume:
                raise ValueError(f'ResumeTestHook(resume=True): {reason}')
            return
        dataset = loop.dataloader.dataset
        model = runner.model
        # Of a BaseDataset, the annotations as one array of bytes.
        annotations = getattr(dataset, 'data_bytes', b'')
        self._finished = FinishedSequences(
            osp.join(runner.work_dir, 'finished'),
            fingerprint_of(
                runner.cfg,
                model.module if is_model_wrapper(model) else model,
                bytes(annotations)))
        self._names = [_name(dataset, i) for i in range(dataset.num_videos)]
        self._take_over(runner)

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: Optional[dict] = None,
                        outputs: Optional[Sequence] = None) -> None:
        """Save what the metrics have of a sequence behind its last frame.

        Args:
            runner (Runner): The runner.
            batch_idx (int): Not used.
            data_batch (dict, optional): The frame.
            outputs (Sequence, optional): Not used.
        """
        if self._finished is None:
            return
        sample = data_batch['data_samples'][-1]
        if sample.frame_id + 1 == sample.video_length:
            metrics = runner.test_loop.evaluator.metrics
            self._finished.save(self._names[int(sample.video_id)], [
                metric.results[num:]
                for metric, num in zip(metrics, self._num_taken)
            ])
            self._count(metrics)

    def _take_over(self, runner: Runner) -> None:
        """Give finished sequences to the metrics, remove what is stale."""
        metrics = runner.test_loop.evaluator.metrics
        finished = self._load(metrics)
        # Nobody may remove anything before all have looked.
        barrier()
        if is_main_process():
            for i, name in enumerate(self._names):
                if i not in finished:
                    self._finished.remove(name)
                    for metric in metrics:
                        if isinstance(metric, SequenceFilesMixin):
                            metric.remove_files(name)
        if finished or self.resume:
            runner.logger.info(
                f'{len(finished)} of {len(self._names)} sequences were '
                'finished by an earlier run with the same config, weights '
                'and annotations: ' + (
                    f'taken from {self._finished.folder}' if self.resume else
                    'they are tracked again; default_hooks.resume_test.resume'
                    '=True would take them over'))
        if not self.resume:
            finished = {}
        if is_main_process():
            for content in finished.values():
                for metric, results in zip(metrics, content):
                    metric.results.extend(results)
        runner.test_loop.dataloader.sampler.skip(list(finished))
        self._count(metrics)
        # Nobody may write a file that is about to be removed.
        barrier()

    def _load(self, metrics: list) -> Dict[int, List[list]]:
        """Finished sequences whose result files are all there."""
        found = {}
        for i, name in enumerate(self._names):
            content = self._finished.load(name)
            if content is not None and all(
                    metric.has_files(results)
                    for metric, results in zip(metrics, content)
                    if isinstance(metric, SequenceFilesMixin)):
                found[i] = content
        return found

    def _count(self, metrics: list) -> None:
        """Remember which of the metrics' results are saved."""
        self._num_taken = [len(metric.results) for metric in metrics]


def _why_not(loop) -> Optional[str]:
    sampler = loop.dataloader.sampler
    if not isinstance(sampler, SequenceSampler):
        return ('it needs test_dataloader.sampler=dict(type='
                f'\'SequenceSampler\'), but got {type(sampler).__name__}')
    if getattr(loop, 'repetitions', 1) != 1:
        return 'the loop passes over the sequences more than once'
    return None


def _name(dataset, index: int) -> str:
    if hasattr(dataset, 'get_sequence'):
        return dataset.get_sequence(index).name
    return f'{index:06d}'  # mmtrack's own data sets
