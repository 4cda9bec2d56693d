"""Deformable convolution in ONNX's terms is the package's own."""
import pytest
import torch

from siamattn_mm.models.ops import DeformConvPack
from siamattn_mm.models.ops.onnx.lowering import (
    DEFORM_CONV,
    standard_operators,
)


@pytest.mark.parametrize('deform_conv', sorted(DEFORM_CONV))
@pytest.mark.parametrize('kernel, stride, padding, dilation', [
    (3, 1, 1, 1),
    (3, 2, 0, 2),
    (1, 1, 0, 1),
])
@torch.no_grad()
def test_the_numbers_are_deform_conv2ds(deform_conv, kernel, stride, padding,
                                        dilation):
    conv = DeformConvPack(
        4, 5, kernel, stride=stride, padding=padding, dilation=dilation,
        bias=False)
    # Many taps leave the map, some only with a part.
    conv.conv_offset.bias.data.normal_(0, 4)
    conv.conv_offset.weight.data.normal_(0, 0.5)
    x = torch.randn(1, 4, 9, 11)
    expected = conv(x)
    with standard_operators(deform_conv):
        found = conv(x)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_kernels_of_two_sides_are_sampled():
    conv = DeformConvPack(3, 2, (3, 1), padding=(1, 0), bias=False)
    conv.conv_offset.bias.data.normal_(0, 1)
    x = torch.randn(1, 3, 7, 8)
    with torch.no_grad(), standard_operators('grid-sample'):
        found = conv(x)
    torch.testing.assert_close(found, conv(x), rtol=1e-4, atol=1e-5)
