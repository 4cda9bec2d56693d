"""The correlation filter: transforms, finding, learning."""
import numpy as np
import pytest
import torch
from mmtrack.registry import TASK_UTILS
from torch.testing import assert_close

from siamattn_mm.models.task_modules import Outcome, Ranking, View
from siamattn_mm.models.task_modules.correlation_filter import sample_at

TARGET = np.array([64., 64.])
STRIDE = 8


def build(**kwargs):
    return TASK_UTILS.build(dict(type='CorrelationFilter', **kwargs))


def features(seed, size=32):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(1, channels, size, size, generator=generator)
        for channels in (3, 5, 2)
    ]


def learn(learner, feats, size=TARGET):
    truth = np.concatenate([[0., 0.], size])
    return learner.learn(
        None, [View(truth, truth, learner.features([], feats))])


def update(learner, state, feats, shift=(0., 0.)):
    return learner.update(
        state,
        Outcome(None, np.concatenate([shift, TARGET]), 1., True, False,
                learner.features([], feats), None))


def respond(learner, state, feats):
    return learner.respond(
        learner.for_response(state), learner.features([], feats), 25)


def moved(feats, x, y):
    return [torch.roll(feat, (y, x), (2, 3)) for feat in feats]


def peak(response):
    row, column = divmod(int(response.argmax()), response.shape[1])
    return column - response.shape[1] // 2, row - response.shape[0] // 2


@pytest.mark.parametrize('size', [31, 32])
@pytest.mark.parametrize('exporting', [False, True])
def test_spectrum_is_the_transform_of_normalised_maps(size, exporting,
                                                      monkeypatch):
    monkeypatch.setattr(torch.onnx, 'is_in_onnx_export', lambda: exporting)
    feats = features(0, size)
    window = np.hanning(size + 2)[1:-1]
    expected = []
    for feat in feats[:2]:
        values = feat[0].double().numpy()
        values = values - values.mean((1, 2), keepdims=True)
        values /= np.sqrt((values**2).sum(0).mean())
        expected.append(np.fft.rfft2(values * np.outer(window, window)))
    expected = np.concatenate(expected)
    batch = [torch.cat([feat, torch.randn_like(feat)]) for feat in feats]
    (found, ) = build(levels=(0, 1)).features([], batch)
    assert found.shape == (2, 8, size, size // 2 + 1, 2)
    found = found[0]
    np.testing.assert_allclose(found[..., 0], expected.real, atol=2e-4)
    np.testing.assert_allclose(found[..., 1], expected.imag, atol=2e-4)


@pytest.mark.parametrize('size', [31, 32])
@pytest.mark.parametrize('shift', [(0, 0), (3, -2), (-7, 5), (12, 0)])
def test_finds_what_has_moved(size, shift):
    learner, feats = build(), features(1, size)
    response = respond(learner, learn(learner, feats), moved(feats, *shift))
    assert response.shape == (25, 25)
    assert peak(response) == shift
    assert response.max() == 1 and response.min() >= 0


def test_first_response_is_the_wanted_one():
    learner, feats = build(sigma=0.2, supports=[None]), features(2)
    response = respond(learner, learn(learner, feats), feats)
    place = (np.arange(25) - 12) * STRIDE
    gauss = np.exp(-0.5 * (place / (0.2 * 64))**2)
    np.testing.assert_allclose(response, np.outer(gauss, gauss), atol=0.01)


def test_learns_a_new_look_where_it_is():
    learner = build(learning_rate=0.5)
    old, new = features(3), features(4)
    state = learn(learner, old)
    # The target is seen 2 cells to the right, 1 up, and looks different.
    state = update(learner, state, moved(new, 2, -1),
                   (2. * STRIDE, -1. * STRIDE))
    for feats in (old, new):
        found = respond(learner, state, moved(feats, -3, 4))
        assert peak(found) == (-3, 4)


def test_it_looks_at_the_target_alone():
    learner = build(supports=[1., None])
    state = learn(learner, features(9), (40., 96.))
    assert len(state.filter) == 2  # the second one looks at everything
    maps = torch.fft.irfft2(
        torch.view_as_complex(state.filter[0]), s=(32, 32)).abs()
    rows, columns = (maps.sum(axes) for axes in ((0, 2), (0, 1)))
    # 96 and 40 pixels are 12 and 5 cells around cell 16.
    for sums, half in ((rows, 6), (columns, 2.5)):
        distance = (torch.arange(32) - 16).abs()
        assert sums[distance <= half].min() > 10 * sums[distance >
                                                        half + 1.5].max()


def test_a_learning_rate_is_a_share():
    learner, feats = build(learning_rate=0.25), features(5)
    first, second = (learn(learner, f) for f in (feats, features(6)))
    state = update(learner, first, features(6))
    for old, new, value in list(zip(first, second, state))[:2]:
        assert_close(value, 0.75 * old + 0.25 * new)


def test_nothing_to_see_is_no_response():
    learner, feats = build(), features(7)
    response = respond(learner, learn(learner, feats),
                       [torch.ones_like(feat) for feat in feats])
    assert torch.isfinite(response).all() and response.max() < 1e-3


def test_autocast_does_not_coarsen_it():
    learner, feats = build(), features(8)
    expected = learner.features([], feats)
    with torch.autocast('cpu', torch.bfloat16):
        assert_close(learner.features([], feats), expected, rtol=0, atol=0)


@pytest.mark.parametrize('outcome', [
    dict(found=False), dict(doubtful=True), dict(score=.2)])
def test_what_is_not_sure_teaches_nothing(outcome):
    learner = build(min_score=.3)
    state = learn(learner, features(11))
    outcome = {**dict(score=1., found=True, doubtful=False), **outcome}
    outcome = Outcome(None, np.zeros(4), note=None,
                      features=learner.features([], features(12)), **outcome)
    assert learner.update(state, outcome) is state


def test_of_an_interval_one_frame_is_learnt_from():
    learner = build(interval=3, learning_rate=.25)
    first = state = learn(learner, features(5))
    for _ in range(2):
        state = update(learner, state, features(6))
        assert state.filter is first.filter
        assert state.numerator is first.numerator
    # An unsure one is none of them.
    unsure = Outcome(None, np.zeros(4), .1, True, False,
                     learner.features([], features(12)), None)
    assert learner.update(state, unsure) is state
    state = update(learner, state, features(6))
    expected = update(build(learning_rate=.25), first, features(6))
    assert_close(state, expected, rtol=0, atol=0)
    with pytest.raises(ValueError, match='interval must be 1 or more'):
        build(interval=0)


def test_a_response_says_which_of_two_equals_it_is():
    learner = build(influence=.3)
    # The right one's box lies 1.5 cells further down: there it counts.
    boxes = np.array([[-48., 0., 64, 64], [48., 12., 64, 64]])
    even = np.full(2, .5)
    ranking = Ranking(boxes, even, even, even, even)
    for column, row, best in ((6, 12, 0), (18, 13, 1), (18, 14, 1)):
        response = np.zeros((25, 25))
        response[row, column] = 1.
        total = learner.rank(None, ranking, response)
        assert total.argmax() == best
        assert total[1 - best] == pytest.approx(.7 * .5)


@pytest.mark.parametrize('x, y, value', [(1, 0, 1.), (.5, .5, 2.),
                                         (-3, 0, 0.), (9, 9, 5.)])
def test_a_response_is_interpolated(x, y, value):
    # x + 3 * y
    response = np.array([[0., 1., 2.], [3., 4., 5.]])
    assert sample_at(response, np.array([x]), np.array([y])) == value


def test_an_influence_is_a_share():
    with pytest.raises(ValueError, match='influence must be in 0..1'):
        build(influence=2)
