"""Tests of PairLowLight: darker, noisier, in place."""
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import PairLowLight


@pytest.mark.parametrize('prob', [(1, 0), (0, 1), (0, 0)])
def test_probabilities(changed, prob):
    assert changed(PairLowLight(prob=prob)) == list(map(bool, prob))


def test_gamma_alone_is_a_power_of_the_levels(crops):
    low_light = PairLowLight(prob=(1, 1), gamma=(2, 2), noise=0)
    for before, after in zip(crops()['img'],
                             low_light.transform(crops())['img']):
        expected = 255 * (before / 255.)**2
        assert np.abs(after - expected).max() <= .5 + 1e-9


def test_noise_alone_keeps_the_mean(crops):
    low_light = PairLowLight(prob=(1, 1), gamma=(1, 1), noise=10)
    spreads = []
    for seed in range(12):
        pair = crops(seed)
        pair['img'][1][:] = 100
        after = low_light.transform(pair)['img'][1].astype(float)
        assert abs(after.mean() - 100) < .3
        spreads.append(after.std())
        if spreads[-1] > 1:  # each channel and pixel for itself
            first, second = after[..., 0].ravel(), after[..., 1].ravel()
            assert abs(np.corrcoef(first, second)[0, 1]) < .05
    assert max(spreads) < 10.2 and max(spreads) - min(spreads) > 3


def test_levels_are_clipped(crops):
    pair = crops()
    pair['img'][1][:128], pair['img'][1][128:] = 0, 255
    after = PairLowLight(prob=(0, 1), noise=30).transform(pair)['img'][1]
    assert after[:128].mean() < 40 and after[128:].mean() > 215


@pytest.mark.parametrize('change', [dict(prob=(.5, )), dict(gamma=(1, 2, 3))])
def test_bad_arguments(change):
    with pytest.raises(ValueError, match=f'{list(change)[0]} needs two'):
        PairLowLight(**change)


def test_registered():
    low_light = TRANSFORMS.build(dict(type='PairLowLight', noise=5))
    assert 'noise=5' in repr(low_light)
