"""Folding changes the speed, not the numbers, names or training."""
import copy
import pickle

import pytest
import torch
from mmcv.cnn import ConvModule
from mmdet.models.backbones.resnet import Bottleneck
from mmtrack.models.backbones.sot_resnet import SOTBottleneck
from torch import nn

from siamattn_mm.models.ops.folding import (
    FoldedBottleneck,
    FoldedConvModule,
    fold_norms,
)


def _model(**kwargs):
    torch.manual_seed(0)
    model = nn.Sequential(
        ConvModule(3, 8, 3, padding=1, norm_cfg=dict(type='BN'), **kwargs),
        ConvModule(8, 4, 1, act_cfg=None))
    norm = model[0].norm
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean,
                   norm.running_var):
        tensor.uniform_(.5, 1.5)
    return model.eval()


@pytest.mark.parametrize('kwargs', [
    dict(), dict(bias=True), dict(act_cfg=None), dict(stride=2)
])
@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')
@torch.no_grad()
def test_numbers_stay(kwargs):
    plain = _model(**kwargs)
    folded = copy.deepcopy(plain)
    fold_norms(folded)
    assert all(type(module) is FoldedConvModule for module in folded)
    x = torch.randn(2, 3, 9, 7)
    torch.testing.assert_close(folded(x), plain(x), rtol=1e-5, atol=1e-5)
    assert list(folded.state_dict()) == list(plain.state_dict())
    pickled = pickle.loads(pickle.dumps(folded))
    assert type(pickled[0]) is FoldedConvModule
    assert torch.equal(pickled(x), folded(x))
    # What it comes from has changed: by loading, and by a copy of its own.
    for tensor in plain.state_dict().values():
        tensor.mul_(2)
    folded.load_state_dict(plain.state_dict())
    torch.testing.assert_close(folded(x), plain(x), rtol=1e-5, atol=1e-5)
    again = copy.deepcopy(folded)
    again[0].conv.weight.mul_(3)
    plain[0].conv.weight.mul_(3)
    torch.testing.assert_close(again(x), plain(x), rtol=1e-5, atol=1e-5)


def test_training_is_not_concerned():
    plain = _model()
    folded = copy.deepcopy(plain)
    fold_norms(folded)
    x = torch.randn(2, 3, 9, 7)
    for model in (plain, folded):
        model.train()
        model(x).sum().backward()
    for a, b in zip(plain.parameters(), folded.parameters()):
        torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(plain[0].norm.running_mean,
                               folded[0].norm.running_mean)


@torch.no_grad()
def test_unfolded_modules_are_what_they_were():
    model, x = _model(), torch.randn(2, 3, 9, 7)
    modules, expected = list(model), model(x)
    fold_norms(model)
    fold_norms(model, False)
    assert list(model) == modules
    assert all(type(module) is ConvModule for module in model)
    assert torch.equal(model(x), expected)


def test_what_cannot_fold_is_left_alone():
    model = nn.Sequential(
        ConvModule(3, 8, 3, padding=1, norm_cfg=dict(type='BN'),
                   padding_mode='reflect'),
        ConvModule(8, 8, 1, norm_cfg=dict(type='GN', num_groups=2)))
    fold_norms(model)
    assert all(type(module) is ConvModule for module in model)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('block', [Bottleneck, SOTBottleneck])
@torch.no_grad()
def test_bottleneck(block, stride):
    torch.manual_seed(0)
    downsample = None
    if stride == 2:
        # mmtrack's does not pad where it strides.
        kernel = 1 if block is Bottleneck else 3
        downsample = nn.Sequential(
            nn.Conv2d(8, 8, kernel, 2, bias=False), nn.BatchNorm2d(8))
    plain = block(8, 2, stride=stride, downsample=downsample).eval()
    for tensor in plain.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(.5, 1.5)
    folded = copy.deepcopy(plain)
    fold_norms(folded)
    assert isinstance(folded, FoldedBottleneck) and isinstance(folded, block)
    x = torch.randn(2, 8, 9, 7)
    torch.testing.assert_close(folded(x), plain(x), rtol=1e-5, atol=1e-5)
    # The training mode's statistics are the batch's.
    torch.testing.assert_close(folded.train()(x), plain.train()(x))
    fold_norms(folded, False)
    assert type(folded) is block
