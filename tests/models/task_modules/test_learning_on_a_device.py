"""What learns from the video stays on the device of its maps.

PyTorch's ``meta`` device stands for a GPU: see tests/models/test_no_waiting.
"""
import numpy as np
import pytest
import torch
from mmtrack.registry import TASK_UTILS
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from siamattn_mm.models.task_modules import Outcome, View

TARGET = np.array([0., 0., 64., 48.])


class _OnTheHost(TorchDispatchMode):
    """Notes operators that make tensors on the CPU, or move them away."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_flatten((args, kwargs, out))[0]
                   if isinstance(leaf, torch.Tensor)]
        if any(tensor.device.type == 'cpu' for tensor in tensors):
            self.found.append(str(func))
        return out


def made_on_the_host(function):
    function()  # what never changes is made once
    with _OnTheHost() as seen:
        function()
    return seen.found


def features(channels=(3, 5), size=31):
    return [torch.empty(1, c, size, size, device='meta') for c in channels]


@pytest.mark.parametrize('supports', [(1., ), (1., None)])
def test_the_correlation_filter(supports):
    learner = TASK_UTILS.build(
        dict(type='CorrelationFilter', levels=(0, 1), supports=supports))
    feats = features()
    seen = learner.features([], feats)
    state = learner.learn(None, [View(TARGET, TARGET, seen)])

    def frame():
        learner.features([], feats)
        learner.respond(learner.for_response(state), seen, 25)
        learner.update(
            state, Outcome(None, TARGET + 3, 1., True, False, seen, None))

    assert seen[0].device.type == state.filter.device.type == 'meta'
    assert made_on_the_host(frame) == []


def test_the_box_regressor():
    regressor = TASK_UTILS.build(
        dict(type='RidgeBoxRegressor', levels=(0, 1), low_levels=(0, ),
             low_strides=(4, )))
    low_level, neck_x = features((4, ), 63), features()
    maps = regressor.features(low_level, neck_x)
    boxes = torch.empty(1, 4, device='meta')

    def frame():
        regressor.features(low_level, neck_x)
        assert regressor.pool(maps, boxes).device.type == 'meta'

    assert made_on_the_host(frame) == []
