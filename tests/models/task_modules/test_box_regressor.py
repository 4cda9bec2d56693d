import numpy as np
import pytest
import torch
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import View
from siamattn_mm.structures.cells import middle_cell

# Sides of the maps of a crop of 255 pixels, by stride.
SIDES = {8: 32, 4: 64}
TRUTH = np.array([9., -11., 60., 44.])


def make(**kwargs):
    return TASK_UTILS.build(dict(type='RidgeBoxRegressor', **kwargs))


def scene(box, stride, clutter):
    """Noise, and other noise inside of a box, which moves along with it."""
    side = SIDES[stride]
    place = (torch.arange(side) - middle_cell(side, stride)) * stride
    u = (place - box[0]) / box[2]
    v = (place - box[1]) / box[3]
    inside = ((u.abs() < .5) & (v.abs() < .5)[:, None]).float()
    waves = torch.stack([
        torch.cos(6 * u).expand(side, side),
        torch.cos(6 * v)[:, None].expand(side, side),
        torch.sin(4 * u) * torch.sin(4 * v)[:, None],
        torch.ones(side, side)
    ])
    return (inside * waves + clutter * (1 - inside))[None]


def views_of(regressor, truths):
    generator = torch.Generator().manual_seed(0)
    views = []
    for truth in truths:
        low, high = (scene(
            truth, s,
            0.2 * torch.randn(4, SIDES[s], SIDES[s], generator=generator))
                     for s in (4, 8))
        maps = regressor.features([low * 0, low], [high, 2 * high, 3 * high])
        views.append(View(None, truth, maps))
    return views


@pytest.fixture(scope='module')
def learnt():
    regressor = make(regularization=0.1)
    views = views_of(
        regressor,
        [TRUTH, TRUTH + (15, 10, 0, 0), TRUTH * (1, 1, .9, .9)])
    return regressor, regressor.learn(None, views)


@pytest.mark.parametrize('change', [(0, 0, 1, 1), (6, -4, 1, 1),
                                    (0, 0, 1.2, 1.2), (-5, 3, .85, 1.1)])
def test_what_it_has_learnt_corrects_boxes_of_another_frame(learnt, change):
    regressor, weights = learnt
    truth = np.array([-23., 12., 57., 46.])
    maps = views_of(regressor, [truth])[0].features
    wrong = np.concatenate([truth[:2] + change[:2], truth[2:] * change[2:]])
    found = regressor.correct(weights, maps, wrong)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found[:2], truth[:2], atol=1.6)
    np.testing.assert_allclose(found[2:], truth[2:], rtol=0.05)


def test_pools_where_the_box_is():
    """A map of places says where each point of the box lies."""
    regressor = make(
        levels=(0, ), low_levels=(), low_strides=(), context=1., output_size=2)
    # The crop's middle, pixel 127, is at 127 / 8.
    place = (torch.arange(32.) - 15.875) * 8
    maps = (torch.stack([
        place.expand(32, 32), place[:, None].expand(32, 32)
    ])[None], )
    feats = regressor.pool(
        maps, torch.tensor([[10., -20., 40., 24.], [0., 0., 8., 8.]]))
    assert feats.shape == (2, 8)
    # Means of the quarters, x of all and then y, by the number of bins.
    torch.testing.assert_close(
        feats[0] * 2, torch.tensor([0., 20, 0, 20, -26, -26, -14, -14]))
    torch.testing.assert_close(
        feats[1] * 2, torch.tensor([-2., 2, -2, 2, -2, -2, 2, 2]))


def test_zeros_change_nothing(learnt):
    regressor, weights = learnt
    maps = views_of(regressor, [TRUTH])[0].features
    box = np.array([3., 4, 50, 60])
    np.testing.assert_array_equal(
        regressor.correct(torch.zeros_like(weights), maps, box), box)


def test_no_delta_is_larger_than_allowed(learnt):
    regressor, weights = learnt
    maps = views_of(regressor, [TRUTH])[0].features
    box = np.array([3., 4, 50, 60])
    found = regressor.correct(1000 * weights, maps, box)
    np.testing.assert_allclose(
        np.abs(np.log(found[2:] / box[2:])), regressor.max_delta, rtol=1e-5)
    np.testing.assert_allclose(
        np.abs((found[:2] - box[:2]) / box[2:]),
        regressor.max_delta,
        rtol=1e-5)


def test_two_fits_are_the_same(learnt):
    regressor, _ = learnt
    views = views_of(regressor, [TRUTH])
    assert torch.equal(
        regressor.learn(None, views), regressor.learn(None, views))


@pytest.mark.parametrize('arguments, said', [
    (dict(levels=(), low_levels=(), low_strides=()), 'levels or low_levels'),
    (dict(low_levels=(0, 1)), 'low_strides must have one value'),
    (dict(samples=0), 'samples must be above 0'),
    (dict(regularization=-1.), 'regularization must be above 0'),
])
def test_says_what_is_wrong_with_an_argument(arguments, said):
    with pytest.raises(ValueError, match=said):
        make(**arguments)
