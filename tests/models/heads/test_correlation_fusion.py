"""Fused depth-wise correlations."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch.nn import functional as F
from torch.testing import assert_close


@pytest.fixture
def fusion():
    cfg = dict(type='CorrelationFusion', in_channels=[8, 6], out_channels=5)
    return MODELS.build(cfg).eval()


@pytest.fixture
def feats():
    return (tuple(torch.randn(2, c, 7, 7) for c in (8, 6)),
            tuple(torch.randn(2, c, 31, 31) for c in (8, 6)))


def test_sum_over_levels_of_correlations(fusion, feats):
    expected = 0
    for correlation, conv, z, x in zip(fusion.correlations, fusion.convs,
                                       *feats):
        kernel, search = correlation.kernel_convs(z), correlation.search_convs(
            x)
        assert kernel.shape[2:] == (5, 5) and search.shape[2:] == (29, 29)
        maps = torch.stack([
            F.conv2d(search[n][:, None].transpose(0, 1),
                     kernel[n][:, None], groups=len(kernel[n]))[0]
            for n in range(2)
        ])
        expected = expected + conv(correlation.head_convs(maps))
    found = fusion(*feats)
    assert found.shape == (2, 5, 25, 25)
    assert_close(found, expected)


def test_last_block_is_a_conv_norm_relu(fusion, feats):
    assert fusion(*feats).min() >= 0
    assert all(conv.with_norm and conv.conv.kernel_size == (1, 1)
               for conv in fusion.convs)


def test_wrong_number_of_levels(fusion, feats):
    zs, xs = feats
    with pytest.raises(ValueError, match='2 levels.*1 template and 2 search'):
        fusion(zs[:1], xs)
    with pytest.raises(ValueError, match='2 levels.*2 template and 3 search'):
        fusion(zs, xs + xs[:1])
