"""Gradients of dilated depth-wise convs in bfloat16."""
import pytest
import torch
from torch import nn

from siamattn_mm.models.ops.dilated_depthwise_conv import (
    DilatedDepthwiseConv2d,
)

CHANNELS = 64


def make(bias=False, dilation=2):
    torch.manual_seed(0)
    return nn.Conv2d(
        CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation,
        groups=CHANNELS, bias=bias)


def inputs(size):
    torch.manual_seed(1)
    x = torch.randn(2, CHANNELS, size, size).bfloat16()
    return x.contiguous(memory_format=torch.channels_last)


def gradients(conv, x, dtype):
    """Output, and gradients of input and parameters."""
    x = x.to(dtype).requires_grad_()
    with torch.autocast('cpu', torch.bfloat16, dtype is torch.bfloat16):
        out = conv(x)
    torch.manual_seed(2)
    grad = torch.randn(out.shape).bfloat16().to(dtype)
    return out, torch.autograd.grad(out, [x, *conv.parameters()], grad)


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('size, dilation', [(31, 2), (32, 2), (64, 4)])
def test_gradients_in_bfloat16_are_near_those_in_double(size, dilation, bias):
    plain = make(bias, dilation)
    conv = DilatedDepthwiseConv2d.of(plain)
    out, found = gradients(conv, inputs(size), torch.bfloat16)
    assert out.dtype is torch.bfloat16
    _, expected = gradients(make(bias, dilation).double(), inputs(size),
                            torch.float64)
    for one, other in zip(found, expected):
        error = (one.double() - other).abs().max() / other.abs().max()
        assert error < .02


def test_the_parameters_are_those_of_the_conv():
    plain = make(bias=True).eval()
    conv = DilatedDepthwiseConv2d.of(plain)
    assert conv.weight is plain.weight and conv.bias is plain.bias
    assert conv.state_dict().keys() == plain.state_dict().keys()
    assert not conv.training


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_in_other_types_nothing_is_changed(dtype):
    plain = make().to(dtype)
    out, found = gradients(DilatedDepthwiseConv2d.of(plain), inputs(32), dtype)
    same, expected = gradients(plain, inputs(32), dtype)
    assert torch.equal(out, same) and out.dtype is dtype
    assert all(map(torch.equal, found, expected))


def test_without_a_gradient_it_computes_in_bfloat16():
    plain = make().requires_grad_(False)
    conv, x = DilatedDepthwiseConv2d.of(plain), inputs(32)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(conv(x), plain(x))
