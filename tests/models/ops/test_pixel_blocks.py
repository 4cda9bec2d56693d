"""Blocks of pixels become channels, and pixels again."""
import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule

from siamattn_mm.models.ops.pixel_blocks import (
    channels_of_blocks,
    conv_of_blocks,
    pixels_of_blocks,
)


@pytest.mark.parametrize('side', [1, 2, 3])
def test_pixels_of_a_block_stay_whole(side):
    x = torch.randn(2, 5, 4 * side, 3 * side)
    found = channels_of_blocks(x, side)
    assert found.shape == (2, side**2 * 5, 4, 3)
    # F.pixel_unshuffle has the pixel last, and not its channels.
    expected = F.pixel_unshuffle(x, side).unflatten(1, (5, side**2))
    assert torch.equal(found, expected.transpose(1, 2).flatten(1, 2))
    assert torch.equal(pixels_of_blocks(found, side), x)


def test_no_images():
    x = torch.randn(0, 1, 64, 64)
    found = channels_of_blocks(x, 2)
    assert found.shape == (0, 4, 32, 32)
    assert pixels_of_blocks(found, 2).shape == x.shape


@pytest.mark.parametrize('kwargs', [
    dict(norm_cfg=dict(type='BN')),
    dict(norm_cfg=None),
    dict(norm_cfg=None, bias=False, act_cfg=None),
    dict(norm_cfg=dict(type='BN', affine=False)),
    dict(norm_cfg=dict(type='GN', num_groups=2)),
])
@torch.no_grad()
def test_one_conv_does_both(kwargs):
    conv = ConvModule(3, 4, 1, **kwargs).eval()
    if kwargs['norm_cfg'] and kwargs['norm_cfg']['type'] == 'BN':
        conv.norm.running_mean.uniform_(-1, 1)
        conv.norm.running_var.uniform_(.5, 2)
    x = torch.randn(2, 3, 12, 8)
    for _ in range(2):
        torch.testing.assert_close(
            conv_of_blocks(x, conv, 2), channels_of_blocks(conv(x), 2))
        conv.conv.weight.normal_()  # what was derived from it follows
