"""Tests of PairThermal: grey, alike in both crops, of few levels."""
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import PairThermal


def levels(img):
    """How far grey levels are from each other."""
    return float(img[..., 0].std())


@pytest.mark.parametrize('prob', [0, 1])
def test_both_crops_or_none(changed, prob):
    for seed in range(5):
        assert changed(PairThermal(prob=prob), seed) == [bool(prob)] * 2


def test_some_pairs(changed):
    kinds = [changed(PairThermal(prob=.5), seed) for seed in range(30)]
    assert all(first == second for first, second in kinds)
    assert 5 < sum(first for first, _ in kinds) < 25


def test_is_grey_and_the_same_map_for_both(crops):
    for seed in range(8):
        before, pair = crops(seed), crops(seed)
        for img in (*before['img'], *pair['img']):
            img[:5, :5] = (30, 90, 200)
        after = PairThermal(prob=1).transform(pair)['img']
        for img in after:
            assert (np.ptp(img, axis=2) == 0).all()
        assert after[0][0, 0, 0] == after[1][0, 0, 0]


@pytest.mark.parametrize('invert_prob', [0, 1])
def test_what_is_brighter_stays_so_or_gets_darker(crops, invert_prob):
    for seed in range(8):
        pair = crops(seed)
        dark, bright = pair['img'][1][:100], pair['img'][1][100:]
        dark[:], bright[:] = 60, 180
        after = PairThermal(
            prob=1, invert_prob=invert_prob).transform(pair)['img'][1]
        assert (after[0, 0, 0] > after[-1, 0, 0]) == bool(invert_prob)


def test_contrast_is_a_factor_of_the_levels(crops):
    for seed in range(5):
        pair = crops(seed)
        pair['img'][1][:] = np.repeat(
            pair['img'][1][..., :1], 3, axis=2) // 2 + 64
        before = levels(pair['img'][1])
        thermal = PairThermal(prob=1, contrast=(.5, .5))
        after = levels(thermal.transform(pair)['img'][1])
        assert after == pytest.approx(before / 2, rel=.05)


def test_bad_arguments():
    with pytest.raises(ValueError, match='contrast needs two values'):
        PairThermal(contrast=(.5, ))


def test_registered():
    thermal = TRANSFORMS.build(dict(type='PairThermal', prob=.3))
    assert 'prob=0.3' in repr(thermal)
