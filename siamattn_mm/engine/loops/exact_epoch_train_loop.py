"""Training by epochs that resumes in the middle of one."""
import itertools
from typing import Any, Iterator

from mmengine.model import BaseModel
from mmengine.runner import EpochBasedTrainLoop
from mmtrack.registry import LOOPS
from torch.utils.data import BatchSampler, Sampler


class _Rest(Sampler):
    """What a sampler yields behind its first places; nothing is loaded."""

    def __init__(self, sampler: Sampler, skip: int) -> None:
        self.sampler = sampler
        self.skip = skip

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(self.sampler, self.skip, None)

    def __len__(self) -> int:
        # Hooks ask for the length of an epoch, not of what is left of it.
        return len(self.sampler)


@LOOPS.register_module()
class ExactEpochTrainLoop(EpochBasedTrainLoop):
    """mmengine's loop, but resuming goes on where the checkpoint was made.

    mmengine begins the checkpoint's epoch anew, so checkpoints made by
    iteration repeat a part of the data. Here the epoch's sampler passes over
    what has been trained on, without loading it. That is exact with samplers
    whose order depends on seed and epoch (``PairSampler``, mmengine's
    ``DefaultSampler``), and with the same data, batch size and number of
    processes as before.

    With ``IterSeedHook`` for the random numbers of each step, and
    ``WholeCheckpointHook``, a run that was killed ends with the weights of
    one that was not.

    Args:
        *args: As for ``EpochBasedTrainLoop``.
        **kwargs: As for ``EpochBasedTrainLoop``.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._seed_of_build = self.runner.seed

    def run(self) -> BaseModel:
        """Train.

        Returns:
            BaseModel: The trained model.
        """
        # A config without a seed draws a new one when it is resumed, too; the
        # checkpoint's came after the sampler was built.
        sampler = getattr(self.dataloader, 'sampler', None)
        if getattr(sampler, 'seed', None) == self._seed_of_build:
            sampler.seed = self.runner.seed
        return super().run()

    def run_epoch(self) -> None:
        """Train for one epoch, or for the rest of it."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        done = self._iter - self._epoch * len(self.dataloader)
        if not 0 <= done <= len(self.dataloader):
            self.runner.logger.warning(
                f'the checkpoint was made in iteration {self._iter}, which is '
                f'not in epoch {self._epoch} of {len(self.dataloader)} '
                'iterations: the epoch begins anew. Have the data, the batch '
                'size or the number of processes changed?')
            done = 0
        for idx, data_batch in enumerate(self._batches(done), done):
            self.run_iter(idx, data_batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def _batches(self, skip: int) -> Iterator[Any]:
        """The epoch's batches, but for the first ones."""
        if skip == 0:
            yield from self.dataloader
            return
        self.runner.logger.info(
            f'Going on behind iteration {skip} of epoch {self._epoch + 1}')
        batch_sampler = self.dataloader.batch_sampler
        if type(batch_sampler) is not BatchSampler:
            # Who knows what makes up its batches: load and pass over them.
            yield from itertools.islice(self.dataloader, skip, None)
            return
        sampler = batch_sampler.sampler
        batch_sampler.sampler = _Rest(sampler, skip * batch_sampler.batch_size)
        try:
            yield from self.dataloader
        finally:
            batch_sampler.sampler = sampler
