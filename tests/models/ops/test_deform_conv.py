"""The vectorised deformable conv against mmcv's op."""
import copy

import pytest
import torch
import torch.nn.functional as F
from mmcv.ops import deform_conv2d as mmcv_deform_conv2d
from torch.testing import assert_close

from siamattn_mm.models.ops import DeformConvPack, deform_conv2d

GEOMETRIES = [(1, 1, 1), (1, 0, 1), (2, 1, 1), (1, 2, 2), ((1, 2), (2, 1), 1)]


def inputs(stride, padding, dilation, reach=2., size=(9, 11), num=2):
    torch.manual_seed(0)
    x = torch.randn(num, 6, *size)
    weight = torch.randn(5, 6, 3, 3)
    out = F.conv2d(x, weight, None, stride, padding, dilation)
    offset = torch.randn(num, 18, *out.shape[2:]) * reach
    return [tensor.requires_grad_() for tensor in (x, offset, weight)]


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('reach', [0.3, 2., 20.])
def test_same_numbers_and_gradients_as_mmcv(geometry, reach):
    tensors = inputs(*geometry, reach=reach)
    found = deform_conv2d(*tensors, *geometry)
    expected = mmcv_deform_conv2d(*tensors, *geometry)
    assert_close(found, expected, rtol=1e-4, atol=1e-4)
    upstream = torch.randn_like(found)
    for ours, theirs in zip(
            torch.autograd.grad(found, tensors, upstream),
            torch.autograd.grad(expected, tensors, upstream)):
        assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('geometry', GEOMETRIES)
def test_without_offsets_it_is_a_conv(geometry):
    x, offset, weight = inputs(*geometry, reach=0.)
    assert_close(deform_conv2d(x, offset, weight, *geometry),
                 F.conv2d(x, weight, None, *geometry), rtol=1e-4, atol=1e-4)


def test_gradcheck():
    tensors = [
        t.detach().double().requires_grad_()
        for t in inputs(1, 1, 1, reach=.3, size=(4, 3), num=1)
    ]
    # Away from whole cells, where the slope jumps.
    with torch.no_grad():
        tensors[1].add_(.5 - tensors[1].frac().abs().lt(.1).double() * .2)
    assert torch.autograd.gradcheck(
        lambda *t: deform_conv2d(*t, 1, 1, 1), tensors)


@pytest.mark.parametrize('change, message', [
    (dict(offset=torch.zeros(2, 18, 9, 10)), 'offset must have shape'),
    (dict(weight=torch.zeros(5, 7, 3, 3)), 'same C'),
    (dict(input=torch.zeros(6, 9, 11)), 'same C'),
])
def test_shapes_that_do_not_fit(change, message):
    x, offset, weight = inputs(1, 1, 1)
    arguments = dict(input=x, offset=offset, weight=weight)
    arguments.update(change)
    with pytest.raises(ValueError, match=message):
        deform_conv2d(**arguments, padding=1)


def test_module_is_mmcvs_with_either_kernel():
    torch.manual_seed(0)
    ours = DeformConvPack(6, 6, 3, padding=1, bias=False)
    assert not ours.conv_offset.weight.any()
    ours.conv_offset.weight.data.normal_(std=.1)
    theirs = copy.deepcopy(ours)
    theirs.vectorized = False
    x = torch.randn(1, 6, 8, 8)
    assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_offsets_stay_zero_whoever_resets_them():
    module = DeformConvPack(6, 6, 3, padding=1, bias=False)
    module.conv_offset.reset_parameters()
    assert not module.conv_offset.weight.any()
    assert not module.conv_offset.bias.any()


def test_groups_are_refused():
    with pytest.raises(ValueError, match='groups=2'):
        DeformConvPack(6, 6, 3, padding=1, groups=2, bias=False)
