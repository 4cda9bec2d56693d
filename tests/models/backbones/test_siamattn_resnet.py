"""SiamAttnResNet: mmtrack's SOTResNet with its stem."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch import nn
from torch.testing import assert_close


@pytest.fixture(scope='module')
def backbone():
    torch.manual_seed(0)
    model = MODELS.build(dict(type='SiamAttnResNet'))
    model.eval()  # mmdet's returns None
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .8, 1.2)
            nn.init.normal_(module.running_mean, std=.05)
    return model


@pytest.fixture(scope='module')
def outputs(backbone):
    """Crops of both sizes, and their maps."""
    crops = {size: torch.rand(1, 3, size, size) for size in (127, 255)}
    with torch.no_grad():
        return {size: (x, backbone(x)) for size, x in crops.items()}


@pytest.mark.parametrize('size, sides', [(255, (125, 63, 31, 31, 31)),
                                         (127, (61, 31, 15, 15, 15))])
def test_shapes(outputs, size, sides):
    channels = (64, 256, 512, 1024, 2048)
    assert [tuple(out.shape) for out in outputs[size][1]
            ] == [(1, c, side, side) for c, side in zip(channels, sides)]


def test_first_output_is_conv_norm_relu(backbone, outputs):
    crop, maps = outputs[127]
    norm = backbone.norm1
    x = nn.functional.conv2d(crop, backbone.conv1.weight, stride=2)
    x = nn.functional.batch_norm(x, norm.running_mean, norm.running_var,
                                 norm.weight, norm.bias)
    assert_close(maps[0], x.relu())


def test_the_rest_is_mmtracks(backbone, outputs):
    theirs = MODELS.build(
        dict(
            type='SOTResNet',
            depth=50,
            out_indices=(0, 1, 2, 3),
            strides=(1, 2, 1, 1),
            dilations=(1, 1, 2, 4)))
    theirs.eval()
    theirs.load_state_dict(backbone.state_dict(), strict=True)
    crop, maps = outputs[127]
    with torch.no_grad():
        expected = theirs(crop)
    assert len(maps) == 1 + len(expected)
    for found, wanted in zip(maps[1:], expected):
        assert wanted.std() > 0
        assert_close(found, wanted)


def test_shortcuts_and_paddings_are_the_atrous_ones(backbone):
    """Spec: 3x3 shortcuts from stage 2 on, half the dilation in front."""
    for stage, shortcut, first, others, stride in (
        (1, (1, 0, 1), (1, 1), (1, 1), 1), (2, (3, 0, 1), (0, 1), (1, 1), 2),
        (3, (3, 1, 1), (1, 1), (2, 2), 1), (4, (3, 2, 2), (2, 2), (4, 4), 1)):
        blocks = list(getattr(backbone, f'layer{stage}'))
        conv = blocks[0].downsample[0]
        assert (conv.kernel_size[0], conv.padding[0],
                conv.dilation[0]) == shortcut
        assert conv.stride == (stride, stride)
        assert blocks[0].conv2.stride == (stride, stride)
        found = [(b.conv2.padding[0], b.conv2.dilation[0]) for b in blocks]
        assert found == [first] + [others] * (len(blocks) - 1)
    assert backbone.conv1.padding == (0, 0)


@torch.no_grad()
def test_stem_and_stages_can_be_left_out(backbone, monkeypatch):
    crop = torch.rand(1, 3, 63, 63)
    maps = backbone(crop)
    monkeypatch.setattr(backbone, 'out_stem', False)
    monkeypatch.setattr(backbone, 'out_indices', (1, 3))
    found = backbone(crop)
    assert [out.shape for out in found] == [maps[2].shape, maps[4].shape]
    assert_close(found[1], maps[4])


def test_arguments_reach_the_model():
    with torch.device('meta'):
        model = MODELS.build(
            dict(
                type='SiamAttnResNet',
                out_stem=False,
                out_indices=(2, ),
                num_stages=3,
                strides=(1, 2, 1),
                dilations=(1, 1, 2)))
        outs = model(torch.empty(1, 3, 127, 127))
    assert [tuple(out.shape) for out in outs] == [(1, 1024, 15, 15)]
