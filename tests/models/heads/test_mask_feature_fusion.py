"""Fused high-resolution features, of one source or both."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch.nn import functional as F
from torch.testing import assert_close

from siamattn_mm.models.heads.mask_feature_fusion import with_detail


def build(**kwargs):
    cfg = dict(type='MaskFeatureFusion', out_channels=6)
    cfg.update(kwargs)
    return MODELS.build(cfg).eval()


@pytest.fixture
def feats():
    """Low-level maps, search maps, fused correlation feature."""
    return ((torch.randn(2, 4, 125, 125), torch.randn(2, 8, 63, 63)),
            tuple(torch.randn(2, 10, 31, 31) for _ in range(3)),
            torch.randn(2, 12, 25, 25))


def resized(x, size=63):
    return F.interpolate(
        x, size=(size, size), mode='bilinear', align_corners=True)


def test_search_source_adds_five_maps(feats):
    fusion = build(in_channels=[4, 8, 10, 10, 10], source='search')
    low, search, correlation = feats
    expected = sum(
        conv(resized(x))
        for conv, x in zip(fusion.lateral_convs, low + search))
    found = fusion(low, search, correlation)
    assert found.shape == (2, 6, 63, 63)
    assert_close(found, expected)
    # The correlation feature is the other source's.
    assert torch.equal(found, fusion(low, search, correlation + 1))


def test_correlation_source_adds_three_maps(feats):
    fusion = build(in_channels=[4, 8, 12])
    low, search, correlation = feats
    expected = sum(
        conv(resized(x))
        for conv, x in zip(fusion.lateral_convs, low + (correlation, )))
    found = fusion(low, search, correlation)
    assert found.shape == (2, 6, 63, 63)
    assert_close(found, expected)
    assert torch.equal(found, fusion(low, (), correlation))


def test_both_sources_together(feats):
    fusion = build(in_channels=[4, 8, 10, 10, 10, 12], source='both')
    low, search, correlation = feats
    expected = sum(
        conv(resized(x)) for conv, x in zip(
            fusion.lateral_convs, low + search + (correlation, )))
    assert fusion.uses_correlation
    assert_close(fusion(low, search, correlation), expected)


def test_size_index_chooses_the_size(feats):
    fusion = build(in_channels=[4, 8, 12], size_index=0)
    assert fusion(*feats).shape == (2, 6, 125, 125)


def test_maps_are_resized_before_their_conv(feats):
    """Corners stay at corners: align_corners=True."""
    fusion = build(in_channels=[4, 8, 12])
    low, _, correlation = feats
    silent = tuple(torch.zeros_like(x) for x in low)
    offset = fusion(silent, (), torch.zeros_like(correlation))
    found = fusion(silent, (), correlation) - offset
    alone = fusion.lateral_convs[2](correlation) - fusion.lateral_convs[2](
        torch.zeros_like(correlation))
    assert_close(found[..., [0, 0, -1, -1], [0, -1, 0, -1]],
                 alone[..., [0, 0, -1, -1], [0, -1, 0, -1]])


def test_wrong_number_of_maps(feats):
    low, search, correlation = feats
    fusion = build(in_channels=[4, 8, 10, 10, 10], source='search')
    with pytest.raises(ValueError, match="5 maps.*1 low-level.*3 of 'search'"):
        fusion(low[:1], search, correlation)


@pytest.mark.parametrize('kwargs, message', [
    (dict(source='template'), "'search', 'correlation', 'both'.*'template'"),
    (dict(size_index=3), '0..2.*3'),
    (dict(size_index=-1), '0..2.*-1'),
])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(in_channels=[4, 8, 12], **kwargs)


@torch.no_grad()
def test_the_cheaper_order_of_tracking_gives_the_same(feats):
    fusion = build(in_channels=[4, 8, 12]).eval()
    for conv in fusion.lateral_convs:
        conv.norm.running_mean.uniform_(-1, 1)
        conv.norm.running_var.uniform_(.5, 2)
    low, _, correlation = feats
    size = low[1].shape[-2:]
    expected = sum(
        conv(torch.nn.functional.interpolate(
            x, size=size, mode='bilinear', align_corners=True))
        for conv, x in zip(fusion.lateral_convs, low + (correlation, )))
    assert_close(fusion(*feats), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('stem', [125, 126])
@torch.no_grad()
def test_a_fine_map_goes_along(feats, stem):
    low, search, correlation = feats
    low = (torch.randn(2, 4, stem, stem), low[1])
    fusion = build(in_channels=[4, 8, 12], detail_channels=3)
    found = fusion(low, search, correlation)
    assert found.shape == (2, 6 + 4 * 3, 63, 63)
    fused, fine = with_detail(found, 6)
    assert_close(fine[..., :stem, :stem], fusion.detail_conv(low[0]))
    # A stem that ends one cell early has nothing there.
    assert not fine[..., stem:, :].any() and not fine[..., stem:].any()
    fusion.detail_conv = None
    assert_close(fused, fusion(low, search, correlation))


@pytest.mark.parametrize('stem', [63, 124, 127])
def test_details_take_a_map_of_twice_the_size(feats, stem):
    low, search, correlation = feats
    fusion = build(in_channels=[4, 8, 12], detail_channels=3)
    with pytest.raises(ValueError, match=rf'2 times.*63, 63.*{stem}, {stem}'):
        fusion((torch.randn(2, 4, stem, stem), low[1]), search, correlation)
