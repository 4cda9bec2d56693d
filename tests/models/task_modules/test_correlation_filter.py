"""The correlation filter: transforms, finding, learning."""
import numpy as np
import pytest
import torch
from mmtrack.registry import TASK_UTILS
from torch.testing import assert_close

TARGET = 64., 64.
STRIDE = 8


def build(**kwargs):
    return TASK_UTILS.build(dict(type='CorrelationFilter', **kwargs))


def features(seed, size=32):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(1, channels, size, size, generator=generator)
        for channels in (3, 5, 2)
    ]


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
    found = build(levels=(0, 1)).spectrum(feats)
    assert found.shape == (8, size, size // 2 + 1, 2)
    np.testing.assert_allclose(found[..., 0], expected.real, atol=2e-4)
    np.testing.assert_allclose(found[..., 1], expected.imag, atol=2e-4)


def test_graphs_respond_alike(monkeypatch):
    learner = build(supports=[1., None])
    state = learner.init(learner.spectrum(features(10)), TARGET)
    spectrum = learner.spectrum(moved(features(10), 2, 3))
    expected = learner.respond(state.filter, spectrum, 25)
    monkeypatch.setattr(torch.onnx, 'is_in_onnx_export', lambda: True)
    assert_close(
        learner.respond(state.filter, spectrum, 25),
        expected,
        rtol=0,
        atol=1e-5)


@pytest.mark.parametrize('size', [31, 32])
@pytest.mark.parametrize('shift', [(0, 0), (3, -2), (-7, 5), (12, 0)])
def test_finds_what_has_moved(size, shift):
    learner, feats = build(), features(1, size)
    state = learner.init(learner.spectrum(feats), TARGET)
    response = learner.respond(state.filter,
                               learner.spectrum(moved(feats, *shift)), 25)
    assert response.shape == (25, 25)
    assert peak(response) == shift
    assert response.max() == 1 and response.min() >= 0


def test_first_response_is_the_wanted_one():
    learner, feats = build(sigma=0.2, supports=[None]), features(2)
    spectrum = learner.spectrum(feats)
    response = learner.respond(
        learner.init(spectrum, TARGET).filter, spectrum, 25)
    place = (np.arange(25) - 12) * STRIDE
    gauss = np.exp(-0.5 * (place / (0.2 * 64))**2)
    np.testing.assert_allclose(response, np.outer(gauss, gauss), atol=0.01)


def test_learns_a_new_look_where_it_is():
    learner = build(learning_rate=0.5)
    old, new = features(3), features(4)
    state = learner.init(learner.spectrum(old), TARGET)
    # The target is seen 2 cells to the right, 1 up, and looks different.
    state = learner.update(state, learner.spectrum(moved(new, 2, -1)),
                           (2. * STRIDE, -1. * STRIDE), TARGET)
    for feats in (old, new):
        found = learner.respond(state.filter,
                                learner.spectrum(moved(feats, -3, 4)), 25)
        assert peak(found) == (-3, 4)


def test_it_looks_at_the_target_alone():
    learner = build(supports=[1., None])
    state = learner.init(learner.spectrum(features(9)), (40., 96.))
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
    first, second = (
        learner.init(learner.spectrum(f), TARGET)
        for f in (feats, features(6)))
    state = learner.update(first, learner.spectrum(features(6)), (0., 0.),
                           TARGET)
    for old, new, value in list(zip(first, second, state))[:2]:
        assert_close(value, 0.75 * old + 0.25 * new)


def test_nothing_to_see_is_no_response():
    learner, feats = build(), features(7)
    state = learner.init(learner.spectrum(feats), TARGET)
    flat = learner.spectrum([torch.ones_like(feat) for feat in feats])
    response = learner.respond(state.filter, flat, 25)
    assert torch.isfinite(response).all() and response.max() < 1e-3


def test_autocast_does_not_coarsen_it():
    learner, feats = build(), features(8)
    expected = learner.spectrum(feats)
    with torch.autocast('cpu', torch.bfloat16):
        assert_close(learner.spectrum(feats), expected, rtol=0, atol=0)
