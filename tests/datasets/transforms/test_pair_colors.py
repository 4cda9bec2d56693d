"""Tests of colour jitter, grey and blur."""
import cv2
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import PairBlur, PairColorJitter, PairGray


def make_pair(seed=0):
    """Two crops of smooth noise."""
    noise = np.random.default_rng(99)
    return dict(
        rng=np.random.default_rng(seed),
        img=[
            cv2.GaussianBlur(
                noise.integers(40, 200, (s, s, 3), dtype=np.uint8), (0, 0), 2)
            for s in (127, 255)
        ])


def changed(transform, seed=0):
    """Which of the two crops a transform changes."""
    before = make_pair(seed)['img']
    after = transform.transform(make_pair(seed))['img']
    for a, b in zip(after, before):
        assert a.shape == b.shape and a.dtype == np.uint8
    return [not np.array_equal(a, b) for a, b in zip(after, before)]


def test_jitter_moves_levels_a_little():
    jitter = PairColorJitter()
    before = make_pair()['img'][1].astype(int)
    means = []
    for seed in range(60):
        after = jitter.transform(make_pair(seed))['img'][1].astype(int)
        means.append((after - before).mean(axis=(0, 1)))
    means = np.array(means)
    assert 5 < means.std() < 40
    assert np.abs(means.mean()) < 8
    # The channels move by themselves too.
    assert (means.max(axis=1) - means.min(axis=1)).mean() > 2


def test_jitter_keeps_equal_colours_equal():
    pair = make_pair()
    pair['img'][1][:] = (10, 200, 90)
    after = PairColorJitter().transform(pair)['img'][1]
    assert (after == after[0, 0]).all()


def test_jitter_clips():
    pair = make_pair()
    pair['img'][1][:100] = 255
    pair['img'][1][100:] = 0
    jitter = PairColorJitter(brightness=0.5)
    after = jitter.transform(pair)['img'][1]
    assert after[:100].min() > after[100:].max()


def test_jitter_of_nothing():
    jitter = PairColorJitter(brightness=0, contrast=0, channel=0, pca=0)
    assert changed(jitter) == [False, False]


@pytest.mark.parametrize('transform, expected', [
    (PairColorJitter(prob=(1, 0)), [True, False]),
    (PairColorJitter(prob=(0, 1)), [False, True]),
    (PairBlur(prob=(1, 0)), [True, False]),
    (PairBlur(prob=(0, 1)), [False, True]),
    (PairGray(prob=1), [True, True]),
    (PairGray(prob=0), [False, False]),
])
def test_probabilities(transform, expected):
    assert changed(transform) == expected


def test_gray_for_both_or_none():
    gray = PairGray(prob=0.5)
    kinds = []
    for seed in range(30):
        imgs = gray.transform(make_pair(seed))['img']
        gray_ones = [bool((np.ptp(img, axis=2) == 0).all()) for img in imgs]
        assert gray_ones[0] == gray_ones[1]
        kinds.append(gray_ones[0])
    assert 5 < sum(kinds) < 25


def test_blur_stays_in_place():
    pair = make_pair()
    spot = np.zeros((255, 255, 3), np.uint8)
    spot[127, 127] = 255
    pair['img'][1] = spot
    blurred = PairBlur(prob=(0, 1), sizes=(3, 9)).transform(pair)['img'][1]
    rows, columns = np.nonzero(blurred[..., 0])
    assert len(rows) > 1
    assert rows.mean() == 127 and columns.mean() == 127
    assert np.ptp(rows) <= 8 and np.ptp(columns) <= 8


def test_blur_equals_the_kernel_of_mmtrack():
    img = make_pair()['img'][1]
    blur = PairBlur(prob=(0, 1), sizes=(15, 15))
    after = blur.transform(make_pair(3))['img'][1].astype(int)
    rng = np.random.default_rng(3)
    rng.random(), rng.random(), rng.integers(15, 16)
    weight = rng.random()
    kernel = np.zeros((15, 15))
    kernel[:, 7] += weight / 15
    kernel[7, :] += (1 - weight) / 15
    expected = cv2.filter2D(img, -1, kernel)
    assert np.abs(after - expected.astype(int)).max() <= 2


@pytest.mark.parametrize('kind', [PairBlur, PairColorJitter])
def test_bad_arguments(kind):
    with pytest.raises(ValueError, match='prob needs two values'):
        kind(prob=(0.5, ))


def test_registered():
    for name in ('PairBlur', 'PairColorJitter', 'PairGray'):
        assert 'prob=' in repr(TRANSFORMS.build(dict(type=name)))
