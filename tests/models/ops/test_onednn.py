"""oneDNN's own operators, and what happens where they refuse."""
import copy
import warnings

import pytest
import torch
from mmengine.config import Config
from torch import nn
from torch.testing import assert_close

from siamattn_mm.apis import init_tracker
from siamattn_mm.benchmark.synthetic_video import synthetic_video
from siamattn_mm.models.ops import onednn
from siamattn_mm.models.ops.fused_conv import fused_conv

OPERATORS = ('lay out', 'conv', 'conv and sum')


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing was tried before, nor will be remembered."""
    monkeypatch.setattr(onednn, '_tried', set())
    monkeypatch.setattr(onednn, '_refused', set())
    onednn._warn_of_bf16.cache_clear()


class Stand:
    """In the place of ``torch.ops.mkldnn``; one operator may refuse."""

    def __init__(self, refuses, dtype=None):
        ops = torch.ops.mkldnn

        def stand_for(name, operator):

            def call(x, *args):
                if name == refuses and dtype in (None, x.dtype):
                    raise RuntimeError('the CPU knows no such thing\nat all')
                return operator(x, *args)

            return call

        self._reorder_convolution_weight = stand_for(
            'lay out', ops._reorder_convolution_weight)
        self._convolution_pointwise = stand_for('conv',
                                                ops._convolution_pointwise)
        self._convolution_pointwise.binary = stand_for(
            'conv and sum', ops._convolution_pointwise.binary)
        self._is_mkldnn_bf16_supported = lambda: True


@pytest.fixture
def stand(monkeypatch):
    if not onednn.takes(torch.float32):
        pytest.skip('oneDNN takes no such convs here')
    onednn._tried.clear()

    def place(*args):
        # The real operators, also where there is a stand-in already.
        monkeypatch.undo()
        monkeypatch.setattr(onednn, '_tried', set())
        monkeypatch.setattr(onednn, '_refused', set())
        stand = Stand(*args)
        monkeypatch.setattr(torch.ops, 'mkldnn', stand, raising=False)
        return stand

    return place


def convs(x, conv, norm):
    """Every kind of call."""
    with torch.inference_mode():
        out = fused_conv(x, conv, norm, nn.ReLU())
        return out, fused_conv(x, conv, norm, None, out)


@pytest.mark.parametrize('operator', OPERATORS)
def test_refusing_operators_are_found_by_trying(stand, operator):
    conv, norm = nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8).eval()
    x = torch.randn(1, 4, 9, 9)
    expected = norm(conv(x)).relu()
    stand(operator)
    before = torch.random.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        found, again = convs(x, copy.deepcopy(conv), norm)
    assert not onednn.takes(torch.float32)
    assert_close(found, expected)
    assert_close(again, norm(conv(x)) + expected)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize('operator', OPERATORS)
def test_late_refusals_are_caught_and_warned_of_once(stand, operator):
    conv, norm = nn.Conv2d(4, 8, 3, padding=1), nn.BatchNorm2d(8).eval()
    x = torch.randn(1, 4, 9, 9)
    expected = norm(conv(x)).relu()
    assert onednn.takes(torch.float32)
    stand(operator)
    onednn._tried.add(torch.float32)
    with pytest.warns(UserWarning, match='float32.*no such thing') as caught:
        for _ in range(2):
            found, again = convs(x, conv, norm)
    assert len(caught) == 1 and '\n' not in str(caught[0].message)
    assert_close(found, expected)
    assert_close(again, norm(conv(x)) + expected)
    assert not onednn.takes(torch.float32)


def test_wrong_input_is_no_refusal():
    if not onednn.takes(torch.float32):
        pytest.skip('oneDNN takes no such convs here')
    with pytest.raises(RuntimeError, match='to have 4 channels'):
        fused_conv(torch.zeros(1, 3, 9, 9), nn.Conv2d(4, 8, 3))
    assert onednn.takes(torch.float32)


def test_bfloat16_is_tried_whatever_the_cpu_is_said_to_have(stand):
    stand('lay out', torch.bfloat16)
    assert not onednn.takes(torch.bfloat16)
    assert onednn.takes(torch.float32)
    stand(None)._is_mkldnn_bf16_supported = lambda: False
    assert not onednn.takes(torch.bfloat16)
    assert onednn.takes(torch.float32)
    assert not onednn.takes(torch.float64)


@pytest.mark.filterwarnings('ignore:init_tracker')
def test_tracking_in_bf16_without_such_products(small_config, monkeypatch):
    monkeypatch.setattr(onednn, '_refused', {torch.bfloat16})
    monkeypatch.setattr(onednn, '_tried', {torch.bfloat16})
    frames, bbox = synthetic_video(96, 64, 3)

    def track(precision):
        config = Config(copy.deepcopy(small_config._cfg_dict))
        config.model.test_cfg.precision = precision
        torch.manual_seed(0)
        tracker = init_tracker(config)
        tracker.init(frames[0], bbox)
        return [tracker.update(frame).score for frame in frames[1:]]

    with pytest.warns(UserWarning, match='bf16 is not used: this CPU') as got:
        found = track('bf16')
    assert len([w for w in got if 'bf16' in str(w.message)]) == 1
    assert found == track('fp32')


@pytest.mark.filterwarnings('ignore:init_tracker')
@pytest.mark.parametrize('operator', OPERATORS)
def test_tracking_where_an_operator_refuses(stand, small_config, operator):
    frames, bbox = synthetic_video(96, 64, 3)

    def track(optimize):
        config = Config(copy.deepcopy(small_config._cfg_dict))
        config.model.optimize = optimize
        torch.manual_seed(0)
        tracker = init_tracker(config)
        tracker.init(frames[0], bbox)
        return [tracker.update(frame) for frame in frames[1:]]

    expected = track(False)
    stand(operator)
    for one, other in zip(track(True), expected):
        assert abs(one.bbox - other.bbox).max() < 1e-3
        assert one.score == pytest.approx(other.score, abs=1e-5)
