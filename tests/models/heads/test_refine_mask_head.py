"""Mask head of the refinement."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.ops.pixel_blocks import channels_of_blocks


def build(**kwargs):
    cfg = dict(
        type='RefineMaskHead',
        in_channels=6,
        conv_channels=8,
        roi_layer=dict(
            type='DeformRoIPooling',
            output_size=16,
            fc_channels=8,
            spatial_scale=63 / 255))
    cfg.update(kwargs)
    return MODELS.build(cfg).eval()


ROIS = torch.tensor([[0, 20., 30., 120., 140.], [1, 100., 90., 180., 150.]])


def test_logits_of_64x64_cells():
    head = build()
    found = head(torch.randn(2, 6, 63, 63), ROIS)
    assert found.shape == (2, 1, 64, 64)
    assert head.mask_size == (64, 64)
    assert found.min() < 0  # logits, not probabilities


def test_layers_are_the_papers():
    head = build()
    assert [conv.conv.kernel_size for conv in head.convs] == [(3, 3)] * 4
    assert all(conv.with_norm and conv.with_activation for conv in head.convs)
    assert isinstance(head.upsample, nn.ConvTranspose2d)
    assert head.upsample.kernel_size == head.upsample.stride == (4, 4)
    assert head.conv_logits.kernel_size == (1, 1)


@pytest.mark.parametrize('factor, bins, size', [(2, 16, (32, 32)),
                                                (4, (4, 6), (16, 24))])
def test_mask_size_follows_bins_and_factor(factor, bins, size):
    head = build(
        upsample_factor=factor,
        num_convs=1,
        roi_layer=dict(
            type='DeformRoIPooling',
            output_size=bins,
            fc_channels=8,
            spatial_scale=63 / 255))
    assert head.mask_size == size
    assert head(torch.randn(2, 6, 63, 63), ROIS).shape == (2, 1) + size


@torch.no_grad()
def test_details_correct_what_the_convs_say():
    plain, head = build(), build(
        detail=dict(
            in_channels=3,
            channels=4,
            roi_layer=dict(
                type='DeformRoIPooling',
                deformable=False,
                output_size=32,
                sampling_ratio=1,
                spatial_scale=1 / 2)))
    head.load_state_dict(plain.state_dict(), strict=False)
    fused, fine = torch.randn(2, 6, 64, 64), torch.randn(2, 3, 128, 128)
    feat = torch.cat([fused, channels_of_blocks(fine, 2)], 1)
    before = plain(fused, ROIS)
    assert_close(head(feat, ROIS), before)
    head.detail.conv_logits.weight.normal_()
    seen = head.convs(head.roi_layer(fused, ROIS))
    assert_close(head(feat, ROIS), head.detail(fine, ROIS, seen, before))
    assert not torch.equal(head(feat, ROIS), before)
