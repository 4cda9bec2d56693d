"""A test with another model's weights is stopped; training is not."""
from types import SimpleNamespace

import pytest
from torch import nn

from siamattn_mm.engine import CheckpointFitHook
from siamattn_mm.utils import CheckpointError


def _runner(train_loop):
    return SimpleNamespace(
        model=nn.Linear(3, 2), _train_loop=train_loop, _load_from='other.pth')


@pytest.mark.parametrize('train_loop', [None, dict(type='TrainLoop')])
def test_a_test_names_all_that_differs(train_loop):
    weights = nn.Linear(4, 2, bias=False).state_dict()
    with pytest.raises(CheckpointError) as error:
        CheckpointFitHook().after_load_checkpoint(
            _runner(train_loop), dict(state_dict=weights))
    message = str(error.value)
    assert 'other.pth' in message
    assert 'missing: bias' in message and 'shape of weight' in message


def test_fitting_weights_pass():
    runner = _runner(None)
    CheckpointFitHook().after_load_checkpoint(
        runner, dict(state_dict=runner.model.state_dict()))


def test_training_may_start_from_a_part():
    CheckpointFitHook().after_load_checkpoint(
        _runner(object()), dict(state_dict=nn.Linear(4, 2).state_dict()))


@pytest.mark.parametrize('train_loop', [None, object()])
def test_nan_is_refused_everywhere(train_loop):
    runner = _runner(train_loop)
    weights = runner.model.state_dict()
    weights['bias'] = weights['bias'] * float('nan')
    with pytest.raises(CheckpointError, match='other.pth.*NaN.* bias:'):
        CheckpointFitHook().after_load_checkpoint(
            runner, dict(state_dict=weights))


@pytest.mark.parametrize('key', ['model', 'net'])
def test_weights_under_other_keys_are_put_where_mmengine_looks(key):
    runner = _runner(None)
    checkpoint = {key: runner.model.state_dict(), 'epoch': 1}
    CheckpointFitHook().after_load_checkpoint(runner, checkpoint)
    assert set(checkpoint['state_dict']) == {'weight', 'bias'}
