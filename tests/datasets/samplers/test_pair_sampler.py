"""Tests of the samplers of pairs."""
from itertools import islice
from unittest.mock import patch

import pytest
from mmengine.runner.loops import _InfiniteDataloaderIterator
from mmtrack.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader

from siamattn_mm.datasets.samplers import InfinitePairSampler, PairSampler


def build(size=10, rank=0, world_size=1, kind=PairSampler, **changes):
    """A sampler of one of several processes."""
    with patch('siamattn_mm.datasets.samplers.pair_sampler.get_dist_info',
               return_value=(rank, world_size)):
        return kind(range(size), **dict(dict(seed=3), **changes))


def test_every_place_once_an_epoch():
    sampler = build()
    samples = list(sampler)
    assert len(sampler) == 10
    assert sorted(s.index for s in samples) == list(range(10))
    assert {(s.seed, s.epoch) for s in samples} == {(3, 0)}


def test_seed_and_epoch_decide_the_order():
    first = list(build())
    assert first == list(build())
    assert [s.index for s in first] != [s.index for s in build(seed=4)]
    sampler = build()
    sampler.set_epoch(1)
    second = list(sampler)
    assert {s.epoch for s in second} == {1}
    assert [s.index for s in first] != [s.index for s in second]


def test_no_shuffle():
    assert [s.index for s in build(shuffle=False)] == list(range(10))


def test_processes_share_one_order():
    whole = list(build(size=11))
    parts = [list(build(size=11, rank=r, world_size=2)) for r in range(2)]
    assert [len(p) for p in parts] == [6, 6]
    # Pair by pair, as N batches of B and one batch of N * B.
    merged = [s for pair in zip(*parts) for s in pair]
    assert merged == whole + whole[:1]
    parts = [list(build(size=11, rank=r, world_size=2, round_up=False))
             for r in range(2)]
    assert [len(p) for p in parts] == [6, 5]


def test_more_processes_than_pairs():
    assert [len(list(build(size=2, rank=r, world_size=5)))
            for r in range(5)] == [1] * 5


def test_infinite_goes_on_with_the_next_epoch():
    endless = list(islice(build(kind=InfinitePairSampler), 25))
    sampler = build()
    for epoch in range(2):
        sampler.set_epoch(epoch)
        assert endless[10 * epoch:10 * epoch + 10] == list(sampler)
    assert {s.epoch for s in endless[20:]} == {2}


@pytest.mark.parametrize('num', [0, 3, 10, 17, 40])
def test_infinite_resumes_where_it_was(num):
    whole = list(islice(build(kind=InfinitePairSampler), num + 12))
    resumed = build(kind=InfinitePairSampler)
    resumed.skip(num)
    assert list(islice(resumed, 12)) == whole[num:]


def test_mmengine_resumes_it():
    class Echo:

        def __getitem__(self, index):
            return index

        def __len__(self):
            return 7

    def iterate(skipped, count):
        loader = DataLoader(Echo(), batch_size=3, collate_fn=list,
                            sampler=build(7, kind=InfinitePairSampler))
        iterator = _InfiniteDataloaderIterator(loader)
        if skipped:
            iterator.skip_iter(skipped)
        return [next(iterator) for _ in range(count)]

    if not hasattr(_InfiniteDataloaderIterator, 'skip_iter'):
        pytest.skip('this mmengine loads what it skips')
    assert iterate(5, 4) == iterate(0, 9)[5:]


def test_skip_backwards():
    with pytest.raises(ValueError, match='-1'):
        build(kind=InfinitePairSampler).skip(-1)


def test_registered():
    for name in ('PairSampler', 'InfinitePairSampler'):
        sampler = DATA_SAMPLERS.build(
            dict(type=name), default_args=dict(dataset=range(4), seed=1))
        assert next(iter(sampler)).seed == 1


@pytest.mark.parametrize('kind', [PairSampler, InfinitePairSampler])
def test_repeat_first_epoch(kind):
    once = build(kind=PairSampler)
    expected = list(once)
    sampler = build(kind=kind, repeat_first_epoch=True)
    sampler.set_epoch(3)
    places = iter(sampler)
    assert [next(places) for _ in expected] == expected
    once.set_epoch(3)
    assert list(once) != expected
