"""One call instead of conv, norm, activation and sum."""
import copy
import pickle

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.ops import onednn as module
from siamattn_mm.models.ops.derived import forget_outdated
from siamattn_mm.models.ops.fused_conv import (
    can_fuse,
    fused_conv,
    laid_out_for,
)


def parts(bias=True, norm=True, **kwargs):
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, bias=bias, **kwargs)
    if not norm:
        return conv, None
    norm = nn.BatchNorm2d(8).eval()
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean,
                   norm.running_var):
        tensor.uniform_(.5, 1.5)
    return conv, norm


@pytest.fixture(params=[True, False], ids=['onednn', 'conv'])
def onednn(request, monkeypatch):
    if request.param and not module.takes(torch.float32):
        pytest.skip('oneDNN takes no such convs here')
    if not request.param:
        monkeypatch.setattr(module, 'takes', lambda dtype: False)


@pytest.mark.parametrize('kwargs', [
    dict(),
    dict(bias=False),
    dict(norm=False),
    dict(bias=False, norm=False),
    dict(stride=2, padding=1),
    dict(dilation=2, padding=2, groups=4)
])
@pytest.mark.parametrize(
    'act', [None, nn.ReLU(), nn.ReLU6(), nn.Sigmoid()], ids=str)
@pytest.mark.parametrize('residual', [False, True])
@torch.inference_mode()
def test_numbers(onednn, kwargs, act, residual):
    conv, norm = parts(**kwargs)
    # One that is larger than what the weights are laid out for, too.
    for size in (9, 31):
        x = torch.randn(2, 4, size, size - 2) * 5
        expected = conv(x)
        if norm is not None:
            expected = norm(expected)
        other = torch.randn_like(expected) if residual else None
        if residual:
            expected = expected + other
        if act is not None:
            expected = act(expected)
        found = fused_conv(x, conv, norm, act, other)
        assert_close(found, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_it_follows_its_sources(onednn):
    conv, norm = parts()
    x = torch.randn(1, 4, 9, 9)
    with laid_out_for(2.):
        fused_conv(x, conv, norm)
    for tensor in (conv.weight, conv.bias, norm.running_var, norm.bias):
        tensor.mul_(2)
        assert_close(fused_conv(x, conv, norm), norm(conv(x)), rtol=1e-5,
                     atol=1e-5)
    conv.weight.data = conv.weight.data * 2
    forget_outdated(conv)
    assert_close(fused_conv(x, conv, norm), norm(conv(x)), rtol=1e-5,
                 atol=1e-5)


@torch.no_grad()
def test_under_autocast(onednn):
    conv, norm = parts()
    x = torch.randn(1, 4, 9, 9)
    with torch.autocast('cpu', torch.bfloat16):
        found = fused_conv(x, conv, norm, nn.ReLU())
    assert found.dtype == torch.bfloat16
    assert_close(found.float(), norm(conv(x)).relu(), rtol=.05, atol=.05)


@torch.no_grad()
def test_what_was_computed_is_not_copied():
    conv, norm = parts()
    x = torch.randn(1, 4, 9, 9)
    expected = fused_conv(x, conv, norm)
    for copied in (copy.deepcopy(conv), pickle.loads(pickle.dumps(conv))):
        assert_close(fused_conv(x, copied, norm), expected)


@pytest.mark.parametrize('conv, norm', [
    (nn.Conv2d(3, 3, 1, padding_mode='reflect'), None),
    (nn.Conv2d(3, 3, 1, padding='same'), None),
    (nn.Linear(3, 3), None),
    (nn.Conv2d(3, 3, 1), nn.GroupNorm(1, 3)),
    (nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)),
])
def test_what_cannot_be_fused(conv, norm):
    assert can_fuse(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    assert not can_fuse(conv, norm)
