"""RoI pooling as products of matrices is the kernels' RoI pooling."""
import pytest
import torch

from siamattn_mm.models.ops import DeformPSRoIPooling, DeformRoIPooling
from siamattn_mm.models.ops.onnx.lowering import standard_operators

ROIS = dict(
    inside=[0, 31.2, 40.7, 90.1, 71.4],
    large=[0, -80.3, -60.2, 330.5, 290.9],
    corner=[0, -20.5, 230.5, 14.5, 270.1],
    tiny=[0, 100.2, 100.2, 100.3, 100.3],
    outside=[0, 300., 310., 340., 350.])
LAYERS = dict(
    psroi=lambda **kw: DeformPSRoIPooling(samples_per_bin=4, **kw),
    mmcv_any=lambda **kw: DeformRoIPooling(sampling_ratio=0, **kw),
    mmcv_1=lambda **kw: DeformRoIPooling(sampling_ratio=1, **kw),
    mmcv_2=lambda **kw: DeformRoIPooling(sampling_ratio=2, **kw))


@pytest.mark.parametrize('roi', sorted(ROIS))
# The larger map takes the path that gathers where there are few samples.
@pytest.mark.parametrize('side', [25, 63])
@pytest.mark.parametrize('kernel', sorted(LAYERS))
@torch.no_grad()
def test_the_numbers_are_the_kernels(kernel, side, roi):
    layer = LAYERS[kernel](
        output_size=(4, 5), spatial_scale=side / 255, in_channels=6,
        fc_channels=8)
    layer.offset_fc[-1].weight.data.normal_(0, 0.5)
    layer.offset_fc[-1].bias.data.normal_(0, 0.5)
    input, rois = torch.randn(1, 6, side, side), torch.tensor([ROIS[roi]])
    expected = layer(input, rois)
    with standard_operators():
        found = layer(input, rois)
    assert found.shape == expected.shape == (1, 6, 4, 5)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    if roi in ('inside', 'large'):
        assert found.std() > 0.01


def test_the_kernels_come_back():
    layer = LAYERS['psroi'](
        output_size=2, spatial_scale=1., in_channels=3, deformable=False)
    feats = torch.randn(2, 3, 9, 9)
    rois = torch.tensor([[1, 1., 1, 5, 5]])
    expected = layer(feats, rois)
    with pytest.raises(KeyError), standard_operators():
        raise KeyError
    assert torch.equal(layer(feats, rois), expected)
