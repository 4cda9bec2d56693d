"""The norm is read behind the step; equal groups step together."""
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmtrack.registry import OPTIM_WRAPPERS

from siamattn_mm.engine.optim_wrappers.merged_groups import merged


def build(kind, clip_grad, optimizer=torch.optim.AdamW):
    """A wrapper of four parameters, a group each, of two kinds."""
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(3)) for _ in range(4)]
    groups = [
        dict(params=[w], weight_decay=.1 * (i % 2))
        for i, w in enumerate(weights)
    ]
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return OPTIM_WRAPPERS.build(
            dict(
                type=kind,
                optimizer=optimizer(groups, lr=1e-2),
                clip_grad=clip_grad))


def gradients(wrapper, seed):
    torch.manual_seed(seed)
    for group in wrapper.optimizer.param_groups:
        for parameter in group['params']:
            parameter.grad = torch.randn(3) * 10


@pytest.mark.parametrize('kind', ['OptimWrapper', 'AmpOptimWrapper'])
@pytest.mark.parametrize('clip', [None, dict(max_norm=1.),
                                  dict(type='value', clip_value=.5)])
def test_steps_are_mmengines(kind, clip):
    ours = build(kind, clip and dict(clip))
    base = build(kind, None).optimizer
    theirs = OptimWrapper(base, clip_grad=clip and dict(clip))
    hub = MessageHub.get_current_instance()
    for seed in range(3):
        norms = []
        for wrapper in (ours, theirs):
            hub.log_scalars.pop('train/grad_norm', None)
            gradients(wrapper, seed)
            wrapper.step()
            norms.append(hub.log_scalars.get('train/grad_norm'))
        assert all(norm is None for norm in norms) or (
            norms[0].current() == norms[1].current() > 1)
    for one, two in zip(ours.optimizer.param_groups, base.param_groups):
        assert torch.equal(*one['params'], *two['params'])


@pytest.mark.parametrize('kind', ['OptimWrapper', 'AmpOptimWrapper'])
def test_the_norm_is_read_behind_the_step(kind, monkeypatch):
    wrapper = build(kind, dict(max_norm=1.))
    events = []
    read = torch.Tensor.__float__
    monkeypatch.setattr(torch.Tensor, '__float__',
                        lambda tensor: events.append('read') or read(tensor))
    wrapper.optimizer.register_step_post_hook(
        lambda *_: events.append('stepped'))
    gradients(wrapper, 0)
    wrapper.step()
    assert events == ['stepped', 'read']


def test_without_gradients_there_is_no_norm():
    wrapper = build('OptimWrapper', dict(max_norm=1.))
    gradients(wrapper, 0)
    wrapper.step()
    assert wrapper.grad_norm > 0
    wrapper.zero_grad()
    wrapper.step()
    assert wrapper.grad_norm is None


def test_groups_are_one_in_a_step_alone():
    wrapper = build('OptimWrapper', None)
    built, seen = wrapper.optimizer.param_groups, []
    wrapper.optimizer.register_step_pre_hook(
        lambda optimizer, *_: seen.append(
            [len(group['params']) for group in optimizer.param_groups]))
    built[3]['lr'] = .5  # a schedule's
    gradients(wrapper, 0)
    wrapper.step()
    assert seen == [[2, 1, 1]]
    assert wrapper.optimizer.param_groups is built and len(built) == 4
    assert [len(group['params']) for group in built] == [1] * 4
    assert len(wrapper.state_dict()['param_groups']) == 4


def test_settings_of_any_kind_are_compared():
    rate = torch.tensor(1.)
    groups = [
        dict(params=[name], lr=lr, betas=betas)
        for name, lr, betas in (('a', rate, (0, 1)), ('b', rate, [0, 1]),
                                ('c', torch.tensor(1.), (0, 1)))
    ]
    assert [g['params'] for g in merged(groups)] == [['a', 'b'], ['c']]
    assert [g['params'] for g in groups] == [['a'], ['b'], ['c']]


def test_what_may_keep_a_state_in_its_groups_is_left_alone():

    class Counting(torch.optim.SGD):

        def step(self, closure=None):
            for group in self.param_groups:
                group['steps'] = group.get('steps', 0) + 1

    wrapper = build('OptimWrapper', None, Counting)
    gradients(wrapper, 0)
    wrapper.step()
    groups = wrapper.optimizer.param_groups
    assert [group['steps'] for group in groups] == [1] * 4
