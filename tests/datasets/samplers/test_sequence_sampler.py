"""Whole sequences, shared out by length."""
import pytest
from mmtrack.datasets import BaseSOTDataset

from siamattn_mm.datasets.samplers import sequence_sampler
from siamattn_mm.datasets.samplers.sequence_sampler import (
    SequenceSampler,
    balance,
)


class Lengths(BaseSOTDataset):
    """A data set of which only the lengths are known."""

    def __init__(self, *lengths, test_mode=True):
        self.lengths = lengths
        self.test_mode = test_mode

    num_videos = property(lambda self: len(self.lengths))

    def get_len_per_video(self, index):
        return self.lengths[index]


@pytest.fixture
def samplers(monkeypatch):
    """The samplers of all processes."""

    def make(num_processes, *lengths):
        made = []
        for rank in range(num_processes):
            monkeypatch.setattr(sequence_sampler, 'get_dist_info',
                                lambda rank=rank: (rank, num_processes))
            made.append(SequenceSampler(Lengths(*lengths)))
        return made

    return make


def test_one_process_has_the_order_of_the_data_set(samplers):
    sampler, = samplers(1, 2, 1, 3)
    frames = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2)]
    assert list(sampler) == list(sampler) == frames
    assert len(sampler) == 6


def test_longest_first_to_the_process_with_the_least():
    assert balance([5, 3, 3, 2, 9], 2) == [[3, 4], [0, 1, 2]]
    assert balance([6, 6, 1], 2) == [[0, 2], [1]]
    assert balance([], 2) == [[], []]
    assert balance([4], 3) == [[0], [], []]


@pytest.mark.parametrize('num_processes', [2, 3, 7])
def test_processes_share_all_frames(samplers, num_processes):
    lengths = [31, 4, 15, 9, 26, 5]
    shares = [list(s) for s in samplers(num_processes, *lengths)]
    every = sorted(frame for share in shares for frame in share)
    assert every == [(i, j) for i, n in enumerate(lengths) for j in range(n)]
    # A sequence is never cut.
    owners = [{i for i, _ in share} for share in shares]
    assert sum(map(len, owners)) == len(lengths)


def test_skipped_sequences_are_left_out_and_the_rest_shared_anew(samplers):
    one, other = samplers(2, 9, 2, 2, 9)
    for sampler in (one, other):
        sampler.skip([0, 3])
    assert list(one) == [(1, 0), (1, 1)] and len(other) == 2
    one.skip(range(4))
    assert list(one) == [] and len(one) == 0
    one.skip(())
    assert len(one) + 11 == 22


@pytest.mark.parametrize('dataset', [[1, 2], Lengths(3, test_mode=False)])
def test_wrong_data_set(dataset):
    with pytest.raises(TypeError, match='test_mode=True'):
        SequenceSampler(dataset)
