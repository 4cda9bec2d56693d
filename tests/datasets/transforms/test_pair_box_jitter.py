import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

BOXES = [[10., 20., 40., 80.], [30., 5., 20., 10.]]


def pair(seed: int = 0) -> dict:
    return dict(
        rng=np.random.default_rng(seed),
        gt_bboxes=[np.array([box], np.float32) for box in BOXES])


def relative(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Corners of a box in coordinates of another, which is (0, 0, 1, 1)."""
    return np.concatenate([(after[0, :2] - before[:2]) / before[2:],
                           after[0, 2:] / before[2:]])


@pytest.mark.parametrize('seed', range(5))
def test_both_frames_get_the_same_piece_of_their_target(seed):
    jitter = TRANSFORMS.build(dict(type='PairBoxJitter', prob=1.))
    results = jitter(pair(seed))
    template, search = (
        relative(np.array(old), new)
        for old, new in zip(BOXES, results['gt_bboxes']))
    np.testing.assert_allclose(template, search, atol=1e-5)
    assert not np.allclose(template, [0, 0, 1, 1], atol=1e-3)
    assert results['gt_bboxes'][0].dtype == np.float32


def test_pieces_are_within_the_limits():
    jitter = TRANSFORMS.build(
        dict(
            type='PairBoxJitter',
            prob=1.,
            shift=0.1,
            zoom=(0.5, 2.),
            aspect=1.44))
    pieces = np.array([
        relative(np.array(BOXES[0]),
                 jitter(pair(seed))['gt_bboxes'][0]) for seed in range(300)
    ])
    shift = pieces[:, :2] + pieces[:, 2:] / 2 - 0.5
    zoom = np.sqrt(pieces[:, 2] * pieces[:, 3])
    aspect = pieces[:, 2] / pieces[:, 3]
    for values, low, high in ((shift, -0.1, 0.1), (zoom, 0.5, 2.),
                              (aspect, 1 / 1.44, 1.44)):
        assert low - 1e-5 <= values.min() < low + 0.1 * (high - low)
        assert high + 1e-5 >= values.max() > high - 0.1 * (high - low)


def test_a_share_of_pairs_stays_as_it_is():
    jitter = TRANSFORMS.build(dict(type='PairBoxJitter', prob=0.5))
    same = [
        np.array_equal(jitter(pair(seed))['gt_bboxes'][0][0], BOXES[0])
        for seed in range(200)
    ]
    assert 0.35 < np.mean(same) < 0.65


@pytest.mark.parametrize('argument, said', [
    (dict(prob=1.5), 'prob must be in'),
    (dict(shift=1.), 'shift must be in'),
    (dict(zoom=(0., 1.)), 'zoom must be'),
    (dict(zoom=(2., 1.)), 'zoom must be'),
    (dict(aspect=0.9), 'aspect must be 1 or more'),
])
def test_says_what_is_wrong_with_an_argument(argument, said):
    with pytest.raises(ValueError, match=said):
        TRANSFORMS.build(dict(type='PairBoxJitter', **argument))


def test_repr_names_its_numbers():
    assert 'shift=0.2' in repr(TRANSFORMS.build(dict(type='PairBoxJitter')))
