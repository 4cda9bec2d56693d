"""Operations, against formulas written out."""
import pytest
import torch
from mmcv.ops import DeformConv2dPack
from mmtrack.registry import MODELS
from torch import nn

from siamattn_mm.benchmark.flops import FlopGauge, can_count, matmul_peak
from siamattn_mm.models.ops.fused_conv import fused_conv

pytestmark = pytest.mark.skipif(
    not can_count(), reason='needs PyTorch 2.1 or newer')


def count(model, *inputs, run=None):
    with torch.no_grad(), FlopGauge(model) as gauge:
        (run or model)(*inputs)
        return gauge()


def test_conv_and_linear():
    conv = nn.Conv2d(3, 8, 3, padding=1, groups=1)
    assert count(conv, torch.rand(2, 3, 5, 7)) == 2 * (
        2 * 5 * 7) * 8 * 3 * 3 * 3
    depthwise = nn.Conv2d(6, 6, 3, groups=6)
    assert count(depthwise, torch.rand(1, 6, 9, 9)) == 2 * 7 * 7 * 6 * 9
    assert count(nn.Linear(4, 5), torch.rand(3, 4)) == 2 * 3 * 4 * 5


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('residual', [True, False])
@pytest.mark.parametrize('groups', [1, 2, 4])
def test_fused_conv(bias, residual, groups):
    conv = nn.Conv2d(4, 8, 3, padding=1, groups=groups, bias=bias)
    residual = torch.rand(2, 8, 5, 7) if residual else None
    found = count(
        conv,
        torch.rand(2, 4, 5, 7),
        run=lambda x: fused_conv(x, conv, residual=residual))
    assert found == 2 * (2 * 5 * 7) * 8 * 4 // groups * 3 * 3


def test_winograd_counts_as_any_conv():
    conv = nn.Conv2d(256, 256, 3)
    with torch.no_grad():  # its weights are transformed once
        fused_conv(torch.rand(1, 256, 12, 9), conv)
    found = count(
        conv, torch.rand(1, 256, 12, 9), run=lambda x: fused_conv(x, conv))
    assert found == 2 * (10 * 7) * 256 * 256 * 9


@pytest.mark.parametrize('vectorized', [True, False])
def test_deformable_conv_whatever_computes_it(vectorized):
    model = MODELS.build(
        dict(
            type='DeformConvPack',
            in_channels=6,
            out_channels=8,
            kernel_size=3,
            padding=1,
            bias=False,
            vectorized=vectorized))
    positions, values = 2 * 5 * 7, 9 * 6
    expected = 2 * positions * values * (8 + 18) + 8 * positions * values
    assert count(model, torch.rand(2, 6, 5, 7)) == expected
    assert 'forward' not in vars(model)
    theirs = DeformConv2dPack(6, 8, 3, padding=1, bias=False)
    assert count(theirs, torch.rand(2, 6, 5, 7)) == expected


@pytest.mark.parametrize('kind, samples', [
    (dict(type='DeformPSRoIPooling', samples_per_bin=4), 16),
    (dict(type='DeformRoIPooling', sampling_ratio=2), 4),
])
def test_roi_pooling(kind, samples):
    model = MODELS.build(
        dict(
            kind, output_size=3, spatial_scale=1., in_channels=5,
            fc_channels=7))
    rois = torch.tensor([[0, 1., 1., 8., 8.], [0, 2., 3., 9., 7.]])
    values = 2 * 5 * 9
    layers = 2 * 2 * (45 * 7 + 7 * 7 + 7 * 18)
    # Pooled twice: to find the offsets, and with them.
    assert count(model, torch.rand(1, 5, 12, 12),
                 rois) == 2 * 8 * samples * values + layers


def test_peak_is_a_rate():
    assert matmul_peak(size=64, repeats=2) > 1e6
