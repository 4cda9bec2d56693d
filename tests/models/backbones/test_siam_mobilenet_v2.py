"""SiamMobileNetV2: mmdet's MobileNetV2, dilated instead of strided."""
import pytest
import torch
from mmdet.models.backbones import MobileNetV2
from mmtrack.registry import MODELS
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.backbones import SiamMobileNetV2


def build(**kwargs):
    model = MODELS.build(dict(type='SiamMobileNetV2', **kwargs))
    randomize_norms(model)
    model.eval()  # mmdet's returns None
    return model


def randomize_norms(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .8, 1.2)
            nn.init.normal_(module.bias, std=.1)
            nn.init.normal_(module.running_mean, std=.05)


@torch.no_grad()
def run(model, size=127, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return model(torch.randn(1, 3, size, size, generator=generator))


def depthwise(model):
    """(stride, dilation, padding) of each stage's 3x3 convs."""
    return [[(c.stride[0], c.dilation[0], c.padding[0])
             for c in (b.depthwise_conv.conv for b in getattr(model, name))]
            for name in model.layers]


@pytest.mark.parametrize('size, sides', [(255, (128, 64, 32, 32, 32)),
                                         (127, (64, 32, 16, 16, 16))])
def test_shapes(size, sides):
    channels = (32, 24, 32, 64, 96)
    assert [tuple(out.shape) for out in run(build(), size)
            ] == [(1, c, side, side) for c, side in zip(channels, sides)]


def test_strides_and_dilations_at_stride_8():
    assert depthwise(build()) == [
        [(1, 1, 1)],
        [(2, 1, 1), (1, 1, 1)],
        [(2, 1, 1)] + [(1, 1, 1)] * 2,
        # The stride is gone: its own conv stays, those behind it spread.
        [(1, 1, 1)] + [(1, 2, 2)] * 3,
        [(1, 2, 2)] * 3,
    ]


def test_dilations_multiply():
    stages = depthwise(build(out_indices=(6, ), max_stride=8))
    assert stages[5] == [(1, 2, 2)] + [(1, 4, 4)] * 2
    assert stages[6] == [(1, 4, 4)]


def test_dense_kernels_on_request():
    stages = depthwise(build(dilate=False))
    assert stages[3:] == [[(1, 1, 1)] * 4, [(1, 1, 1)] * 3]
    assert stages[1][0] == stages[2][0] == (2, 1, 1)


def test_stages_behind_the_last_output_are_not_built():
    names = {name.split('.')[0] for name in build().state_dict()}
    assert names == {'conv1', 'layer1', 'layer2', 'layer3', 'layer4', 'layer5'}


def test_at_stride_32_it_is_mmdets():
    ours = build(out_indices=(1, 2, 4, 7), max_stride=32, out_stem=False)
    theirs = MODELS.build(
        dict(type='mmdet.MobileNetV2', out_indices=(1, 2, 4, 7)))
    theirs.eval()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    found, expected = run(ours), run(theirs)
    assert len(found) == len(expected) == 4
    for ours_out, theirs_out in zip(found, expected):
        assert theirs_out.std() > 0
        assert_close(ours_out, theirs_out)


def test_stem_is_the_first_output():
    model = build()
    crop = torch.randn(1, 3, 63, 63)
    with torch.no_grad():
        assert_close(model(crop)[0], model.conv1(crop))


@pytest.mark.parametrize('max_stride, step', [(16, 2), (8, 4)])
@pytest.mark.parametrize('size', [127, 160])
def test_dilated_maps_contain_the_strided_ones(max_stride, step, size):
    """Atrous: every second (fourth) cell is a cell of the strided network."""
    kwargs = dict(out_indices=(6, ), out_stem=False, widen_factor=0.25)
    strided = build(max_stride=32, **kwargs)
    dilated = build(max_stride=max_stride, **kwargs)
    dilated.load_state_dict(strided.state_dict())
    expected, found = run(strided, size)[0], run(dilated, size)[0]
    assert found.shape[2] > expected.shape[2]
    assert_close(found[..., ::step, ::step], expected)


@pytest.mark.parametrize('max_stride', [2, 4, 16, 32])
def test_max_stride_is_kept(max_stride):
    model = build(
        out_indices=(5, ), max_stride=max_stride, widen_factor=0.25,
        out_stem=False)
    assert run(model, 64)[0].shape[2:] == (64 // max_stride, ) * 2


@pytest.mark.parametrize('max_stride', [0, 3, 64])
def test_invalid_max_stride(max_stride):
    with pytest.raises(ValueError, match=f'8, 16 or 32, but got {max_stride}'):
        build(max_stride=max_stride)


def test_frozen_stages_do_not_train():
    model = build(frozen_stages=2, widen_factor=0.25)
    model.train()
    trained = {
        name.split('.')[0]
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }
    assert trained == {'layer3', 'layer4', 'layer5'}
    assert not model.layer2.training and model.layer3.training


def test_stages_that_are_not_built_cannot_be_frozen():
    build(out_indices=(1, ), frozen_stages=2).train()
    with pytest.raises(ValueError, match='frozen_stages is 3.*2 stages'):
        build(out_indices=(1, ), frozen_stages=3)


def test_frozen_as_soon_as_it_is_built():
    """Optimizers and DDP look before the first train()."""
    model = MODELS.build(dict(type='SiamMobileNetV2', frozen_stages=2))
    trained = {
        name.split('.')[0]
        for name, p in model.named_parameters() if p.requires_grad
    }
    assert trained == {'layer3', 'layer4', 'layer5'}


def test_stages_that_are_not_built_are_no_mismatch(tmp_path, caplog):
    weights = MobileNetV2(out_indices=(6, )).state_dict()
    weights['extra.weight'] = torch.ones(1)
    path = str(tmp_path / 'imagenet.pth')
    torch.save(dict(state_dict=weights), path)
    model = SiamMobileNetV2(init_cfg=dict(type='Pretrained', checkpoint=path))
    found = model.load_state_dict(weights, strict=False)
    # What has no place at all is still said.
    assert found.unexpected_keys == ['extra.weight']
    assert found.missing_keys == []
    model.init_weights()
    assert torch.equal(model.layer5[0].linear_conv.conv.weight,
                       weights['layer5.0.linear_conv.conv.weight'])
