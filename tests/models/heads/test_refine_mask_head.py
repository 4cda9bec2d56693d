"""Mask head of the refinement."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch import nn


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
