"""Optimizers that are fused on a GPU, and go on with any checkpoint."""
import copy
from unittest import mock

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.utils import digit_version

from siamattn_mm.engine import DeviceAdamW, DeviceSGD
from siamattn_mm.engine.optimizers import device_optimizers

CLASSES = [(DeviceAdamW, dict(lr=1e-2)),
           (DeviceSGD, dict(lr=1e-2, momentum=.9, weight_decay=.1))]
needs_fused = pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.4'),
    reason='no fused optimizer on a CPU')


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))


def steps(net, optimizer, seeds, last=None):
    """Train the layers, or the last one alone."""
    for seed in seeds:
        torch.manual_seed(seed)
        optimizer.zero_grad()
        net(torch.randn(5, 3)).square().mean().backward()
        if last:
            net[0].zero_grad()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in net.parameters()])


@pytest.mark.parametrize('name, cls', [('AdamW', DeviceAdamW),
                                       ('SGD', DeviceSGD)])
def test_configs_have_them_by_pytorchs_names(name, cls):
    init_default_scope('mmtrack')
    wrapper = build_optim_wrapper(
        model(),
        dict(
            type='OptimWrapper',
            optimizer=dict(type=name, lr=1., weight_decay=.1),
            paramwise_cfg=dict(bias_decay_mult=0.)))
    assert type(wrapper.optimizer) is cls
    groups = wrapper.optimizer.param_groups
    assert [g['weight_decay'] for g in groups] == [.1, 0] * 2


@pytest.mark.parametrize('cls, kwargs', CLASSES)
def test_nothing_changes_on_a_cpu(cls, kwargs):
    plain, ours = model(), model()
    optimizer = cls(ours.parameters(), **kwargs)
    assert not optimizer.param_groups[0]['fused']
    assert torch.equal(
        steps(plain, cls.__mro__[2](plain.parameters(), **kwargs), range(3)),
        steps(ours, optimizer, range(3)))


@needs_fused
@pytest.mark.parametrize('cls, kwargs', CLASSES)
def test_fused_where_all_parameters_are_on_a_gpu(cls, kwargs):
    with mock.patch.object(device_optimizers, '_all_on_gpu', lambda _: True):
        groups = [dict(params=p) for p in model().parameters()]
        assert all(g['fused'] for g in cls(groups, **kwargs).param_groups)
        for other in (dict(foreach=True), dict(fused=False)):
            found = cls(model().parameters(), **kwargs, **other)
            assert not found.param_groups[0]['fused']


def test_parameters_given_in_any_form():
    on_gpu = mock.Mock(
        spec=torch.Tensor, is_cuda=True, is_floating_point=lambda: True)
    on_cpu = torch.zeros(1)
    assert device_optimizers._all_on_gpu([on_gpu])
    assert not device_optimizers._all_on_gpu([on_gpu, on_cpu])
    groups = [dict(params=iter([on_gpu])), dict(params=on_gpu)]
    assert device_optimizers._all_on_gpu(groups)
    assert groups[0]['params'] == [on_gpu]
    assert not device_optimizers._all_on_gpu([dict(params=[on_cpu])])
    assert not device_optimizers._all_on_gpu([])


@needs_fused
@pytest.mark.parametrize('to_fused', [True, False])
@pytest.mark.parametrize('cls, kwargs', CLASSES)
def test_a_checkpoint_goes_on_in_the_other_way(cls, kwargs, to_fused):
    whole, first = model(), model()
    expected = steps(whole, cls(whole.parameters(), **kwargs), range(6))
    optimizer = cls(first.parameters(), fused=not to_fused, **kwargs)
    steps(first, optimizer, range(3))
    second = copy.deepcopy(first)
    other = cls(second.parameters(), fused=to_fused, **kwargs)
    other.load_state_dict(optimizer.state_dict())
    assert bool(other.param_groups[0]['fused']) is to_fused
    assert optimizer.param_groups[0]['fused'] is not to_fused
    torch.testing.assert_close(steps(second, other, range(3, 6)), expected)


@needs_fused
def test_a_part_that_was_frozen_has_no_momentum_yet():
    found = []
    for fused in (False, True):
        net = model()
        optimizer = DeviceSGD(
            net.parameters(), lr=1e-2, momentum=.9, fused=fused)
        steps(net, optimizer, range(2), last=True)
        found.append(steps(net, optimizer, range(2, 4)))
    torch.testing.assert_close(*found)


def test_groups_that_differ_are_refused():
    optimizer = DeviceAdamW(model().parameters())
    groups = [dict(params=p) for p in model().parameters()]
    with pytest.raises(ValueError, match='number of parameter groups'):
        DeviceAdamW(groups).load_state_dict(optimizer.state_dict())
