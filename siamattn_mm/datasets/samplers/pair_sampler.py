"""Samplers that tell the data set which epoch it is."""
import math
from typing import Iterator, NamedTuple, Optional, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmtrack.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


class SampleID(NamedTuple):
    """Names one training pair of a run.

    Attributes:
        seed (int): Seed of the run.
        epoch (int): Epoch, from 0.
        index (int): Place in the data set, from 0.
    """
    seed: int
    epoch: int
    index: int


@DATA_SAMPLERS.register_module()
class PairSampler(Sampler):
    """Yields every pair of an epoch once, in random order.

    mmengine's samplers yield the place in the data set alone, so a data set
    that draws at random cannot tell one epoch from the next, nor one seed
    from another. This one yields all three as a :class:`SampleID`; persistent
    workers need not be told anything.

    With N processes, process r takes the places r, r + N, ... of the one
    order that all share: N batches of B are the pairs of one batch of N * B.

    Args:
        dataset (Sized): The data set.
        shuffle (bool): Whether the order is random. Defaults to True.
        seed (int, optional): Seed of order and pairs. Defaults to None: a
            random one, the same in all processes.
        round_up (bool): Whether all processes get as many pairs, by starting
            again from the front. Defaults to True.
        repeat_first_epoch (bool): Whether every epoch has the first one's
            pairs, to see whether a model can learn a few by heart. Defaults
            to False.
    """

    def __init__(self,
                 dataset: Sized,
                 shuffle: bool = True,
                 seed: Optional[int] = None,
                 round_up: bool = True,
                 repeat_first_epoch: bool = False) -> None:
        self.rank, self.world_size = get_dist_info()
        self.size = len(dataset)
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.round_up = round_up
        self.repeat_first_epoch = repeat_first_epoch
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next; mmengine's loops do.

        Args:
            epoch (int): Epoch, from 0.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        """Pairs an epoch in this process."""
        places = self.size if self.round_up else self.size - self.rank
        return math.ceil(places / self.world_size)

    def __iter__(self) -> Iterator[SampleID]:
        return self._epoch_samples(self.epoch)

    def _epoch_samples(self, epoch: int, skip: int = 0) -> Iterator[SampleID]:
        """This process's pairs of an epoch, but for the first ``skip``."""
        if self.repeat_first_epoch:
            epoch = 0
        if self.shuffle:
            order = np.random.default_rng(
                (self.seed, epoch)).permutation(self.size)
        else:
            order = np.arange(self.size)
        for place in range(skip, len(self)):
            place = (self.rank + place * self.world_size) % self.size
            yield SampleID(self.seed, epoch, int(order[place]))


@DATA_SAMPLERS.register_module()
class InfinitePairSampler(PairSampler):
    """Goes on with the next epoch instead of ending, for iteration loops.

    Batches may then hold pairs of two epochs, and workers never stop.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._skip = 0

    def skip(self, num_samples: int) -> None:
        """Start after the first pairs, where a resumed run goes on.

        Args:
            num_samples (int): Pairs that this process has had since the
                beginning of the run.

        Raises:
            ValueError: If ``num_samples`` is negative.
        """
        if num_samples < 0:
            raise ValueError(
                f'num_samples must be 0 or more, but got {num_samples}')
        self._skip = num_samples

    def __iter__(self) -> Iterator[SampleID]:
        epoch, skip = divmod(self._skip, len(self))
        epoch += self.epoch
        while True:
            yield from self._epoch_samples(epoch, skip)
            epoch, skip = epoch + 1, 0
