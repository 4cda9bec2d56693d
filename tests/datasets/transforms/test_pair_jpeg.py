"""Tests of PairJPEG: traces of compression, nothing else."""
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import PairJPEG


@pytest.mark.parametrize('prob', [(1, 0), (0, 1), (0, 0)])
def test_probabilities(changed, prob):
    assert changed(PairJPEG(prob=prob)) == list(map(bool, prob))


def error(crops, seed=0, **kwargs):
    """Mean distance of the levels from what they were."""
    jpeg = PairJPEG(prob=(1, 1), **kwargs)
    before, after = crops(seed)['img'][1], jpeg.transform(
        crops(seed))['img'][1]
    return np.abs(after.astype(float) - before).mean()


def test_quality_decides_how_much_is_lost(crops):
    worst, usual, best = (
        error(crops, quality=(q, q)) for q in (5, 40, 98))
    assert worst > usual > best
    # Still the same picture, channels in their order.
    assert worst < 20


def test_quality_is_drawn_for_each(crops):
    errors = [error(crops, seed, quality=(10, 90)) for seed in range(12)]
    low, high = (error(crops, quality=(q, q)) for q in (90, 10))
    assert low <= min(errors) < max(errors) <= high
    assert max(errors) - min(errors) > .3 * (high - low)


def test_both_limits_occur(crops):
    found = {round(error(crops, seed, quality=(10, 11)), 6)
             for seed in range(20)}
    assert found == {
        round(error(crops, quality=(q, q)), 6) for q in (10, 11)}


@pytest.mark.parametrize('change', [dict(prob=(.5, )), dict(quality=(10, ))])
def test_bad_arguments(change):
    with pytest.raises(ValueError, match=f'{list(change)[0]} needs two'):
        PairJPEG(**change)


def test_registered():
    jpeg = TRANSFORMS.build(dict(type='PairJPEG', quality=(20, 30)))
    assert 'quality=(20, 30)' in repr(jpeg)
