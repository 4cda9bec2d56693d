"""Winograd's algorithm against a direct conv."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.ops.fused_conv import fused_conv
from siamattn_mm.models.ops.winograd import (
    suits_winograd,
    winograd_conv,
    winograd_weight,
)


# Sizes of which the tiles cover all, or more; one column only; rows and
# columns that differ.
@pytest.mark.parametrize('size', [(8, 8), (7, 12), (9, 5), (31, 29)])
@pytest.mark.parametrize('padding, dilation', [(0, 1), (1, 1), (1, 2), (2, 2),
                                               (4, 4)])
@pytest.mark.parametrize('bias', [True, False])
def test_numbers(size, padding, dilation, bias):
    if min(size) + 2 * padding <= 2 * dilation:
        pytest.skip('there is no output')
    torch.manual_seed(0)
    x = torch.randn(2, 5, *size, dtype=torch.float64)
    weight = torch.randn(7, 5, 3, 3, dtype=torch.float64)
    shift = torch.randn(7, dtype=torch.float64) if bias else None
    found = winograd_conv(x, winograd_weight(weight), shift,
                          (padding, padding), dilation)
    assert_close(found, F.conv2d(x, weight, shift, 1, padding, dilation))


@torch.no_grad()
def test_a_conv_that_suits_it():
    torch.manual_seed(0)
    conv = nn.Conv2d(256, 256, 3, padding=1)
    norm = nn.BatchNorm2d(256).eval()
    norm.running_var.uniform_(.5, 2)
    x = torch.randn(1, 256, 9, 10)
    assert suits_winograd(conv, x.shape)
    other = torch.randn_like(x)
    found = fused_conv(x, conv, norm, nn.ReLU(), other)
    assert_close(found, (norm(conv(x)) + other).relu(), rtol=1e-4, atol=1e-4)
    conv.weight.mul_(2)
    assert_close(fused_conv(x, conv), conv(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('conv', [
    nn.Conv2d(256, 256, 1),
    nn.Conv2d(256, 256, 3, stride=2),
    nn.Conv2d(256, 256, 3, groups=2),
    nn.Conv2d(256, 1024, 3, dilation=(1, 2)),
    nn.Conv2d(256, 256, 3, dilation=2),
    nn.Conv2d(16, 256, 3),
])
def test_convs_that_do_not_suit_it(conv):
    assert not suits_winograd(conv, (1, conv.in_channels, 31, 31))
    assert not suits_winograd(nn.Conv2d(256, 256, 3), (1, 256, 7, 7))
    assert suits_winograd(
        nn.Conv2d(256, 1024, 3, dilation=2), (1, 256, 31, 31))
