"""Test sampler: whole sequences, shared out by length."""
from typing import Iterator, List, Sequence, Tuple

from mmengine.dist import get_dist_info
from mmtrack.datasets import BaseSOTDataset
from mmtrack.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class SequenceSampler(Sampler):
    """All frames of whole sequences, for each process about as many.

    mmtrack's ``VideoSampler`` gives each process the same number of
    *sequences*, so that one process may get all the long ones, and refuses
    more processes than sequences. Here the longest sequence that is left goes
    to the process with the fewest frames. Within a process the order is that
    of the data set.

    Args:
        dataset (BaseSOTDataset): In test mode.
        seed (int): Not used: nothing here is random. mmengine gives it to
            every sampler. Defaults to 0.

    Raises:
        TypeError: If the data set is no ``BaseSOTDataset`` in test mode.
    """

    def __init__(self, dataset: BaseSOTDataset, seed: int = 0) -> None:
        if not isinstance(dataset, BaseSOTDataset) or not dataset.test_mode:
            raise TypeError('SequenceSampler needs a single object tracking '
                            'data set with test_mode=True, but got '
                            f'{type(dataset).__name__}')
        self.rank, self.world_size = get_dist_info()
        self.lengths = [
            dataset.get_len_per_video(i) for i in range(dataset.num_videos)
        ]
        self.skip(())

    def skip(self, sequences: Sequence[int]) -> None:
        """Leave out some sequences and share out the others anew.

        Args:
            sequences (Sequence[int]): Their numbers in the data set, from 0;
                the same in every process.
        """
        skipped = set(sequences)
        wanted = [i for i in range(len(self.lengths)) if i not in skipped]
        shares = balance([self.lengths[i] for i in wanted], self.world_size)
        self.sequences = [wanted[i] for i in shares[self.rank]]

    def __iter__(self) -> Iterator[Tuple[int, int]]:
        """Pairs of sequence and frame, both from 0."""
        for sequence in self.sequences:
            for frame in range(self.lengths[sequence]):
                yield sequence, frame

    def __len__(self) -> int:
        """Number of frames of this process."""
        return sum(self.lengths[i] for i in self.sequences)


def balance(lengths: Sequence[int], num_shares: int) -> List[List[int]]:
    """Share out sequences: the longest first, to whoever has the least.

    Args:
        lengths (Sequence[int]): Number of frames of each.
        num_shares (int): How many shares.

    Returns:
        list[list[int]]: Indices into ``lengths``, ascending within a share.
    """
    shares: List[List[int]] = [[] for _ in range(num_shares)]
    totals = [0] * num_shares
    # sorted() keeps the order of equals, so that all processes agree.
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        least = totals.index(min(totals))
        shares[least].append(i)
        totals[least] += lengths[i]
    return [sorted(share) for share in shares]
