"""Mixed precision: mmtrack's --amp works on a CPU."""
import warnings

import pytest
import torch
from mmengine.registry import DefaultScope
from mmtrack.registry import OPTIM_WRAPPERS

from siamattn_mm.engine import AnyDeviceAmpOptimWrapper
from siamattn_mm.engine.optim_wrappers import amp_optim_wrapper

POSITIVE, NEGATIVE, BOX_ONLY = (1, True), (0, False), (1, False)
# What `tools/train.py --amp` sets.
AMP = {'optim_wrapper.type': 'AmpOptimWrapper',
       'optim_wrapper.loss_scale': 'dynamic'}


def build(**kwargs):
    """An optimizer wrapper by mmengine's name."""
    weight = torch.nn.Parameter(torch.ones(4, 4))
    optimizer = torch.optim.SGD([weight], lr=.1)
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return OPTIM_WRAPPERS.build(
            dict(type='AmpOptimWrapper', optimizer=optimizer, **kwargs))


def test_finite_losses_near_those_in_full_precision(runner_of):
    kinds = [POSITIVE, NEGATIVE, BOX_ONLY, POSITIVE]
    losses = []
    for options in ({}, AMP):
        runner = runner_of(kinds, **options)
        seen = []
        step = runner.model.train_step

        def train_step(*args, seen=seen, step=step, **kwargs):
            outputs = step(*args, **kwargs)
            seen.append({k: v.detach() for k, v in outputs.items()})
            return outputs

        runner.model.train_step = train_step
        runner.train()
        losses.append(seen)
    assert len(losses[1]) == 2
    for full, half in zip(*losses):
        assert set(full) == set(half)
        for name in full:
            assert torch.isfinite(half[name]).all()
            # Other proposals may pass the threshold of the RoIs.
            assert float(half[name]) == pytest.approx(
                float(full[name]), rel=.3, abs=.05)
    # Computed in another precision, not by chance the same.
    assert float(losses[0][0]['loss']) != float(losses[1][0]['loss'])
    assert all(p.dtype == torch.float32 for p in runner.model.parameters())
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())


@pytest.mark.parametrize('suits', [True, False])
def test_a_cpu_that_only_imitates_it_is_named(monkeypatch, suits):
    monkeypatch.setattr(amp_optim_wrapper, 'takes', lambda dtype: suits)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter('always')
        build()
    said = [str(warning.message) for warning in seen]
    assert [('Leave --amp out' in text) for text in said] == (
        [] if suits else [True])


def test_casts_and_steps():
    wrapper = build()
    assert type(wrapper) is AnyDeviceAmpOptimWrapper
    weight = wrapper.param_groups[0]['params'][0]
    with wrapper.optim_context(torch.nn.Identity()):
        out = torch.ones(1, 4) @ weight
    assert out.dtype == torch.bfloat16
    wrapper.update_params(out.float().sum())
    assert torch.equal(weight.detach(), torch.full((4, 4), .9))


def test_state_has_no_scaler_that_a_gpu_would_refuse():
    state = build().state_dict()
    assert 'loss_scaler' not in state and 'param_groups' in state
    build(loss_scale=512.).load_state_dict(state)


def test_refused():
    with pytest.raises(ValueError, match='bfloat16, but got.*float16'):
        build(dtype='float16')
