"""Optimizers that suit the device of their parameters."""
import inspect
from typing import Any, Dict, Iterator

import torch
from mmtrack.registry import OPTIMIZERS
from torch import Tensor

# How a step is computed: the device's business, not a checkpoint's.
EXECUTION = ('capturable', 'foreach', 'fused')


class FusedOnGPU:
    """PyTorch's optimizer, fused where all parameters are on a GPU.

    There a step is one kernel for many parameters, and can be left out
    without asking the device (``NonFiniteLossHook``). On a CPU nothing is
    changed, unless ``fused`` is given: a fused step differs in the last bits.

    A checkpoint's state goes to the device that goes on with it, however the
    step that made it was computed.

    Args:
        params (Iterable): Parameters, or groups of them.
        *args: As for PyTorch's.
        **kwargs: As for PyTorch's. ``fused`` defaults to: on a GPU, unless
            another way to compute a step is asked for.
    """

    def __init__(self, params: Any, *args, **kwargs) -> None:
        params = list(params)
        given = any(
            kwargs.get(key) is not None
            for key in EXECUTION + ('differentiable', ))
        # PyTorch's SGD has it since 2.3.
        known = 'fused' in inspect.signature(
            super().__init__).parameters
        # With dampening, the first step is another one.
        given = given or bool(kwargs.get('dampening'))
        if known and not given and _all_on_gpu(params):
            kwargs['fused'] = True
        super().__init__(params, *args, **kwargs)
        self._prepare()

    def _prepare(self) -> None:
        """Complete the state of a fused step."""

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Go on with a state, whatever device it was made on.

        Args:
            state_dict (dict): Of the same optimizer with the same groups.
        """
        saved = state_dict['param_groups']
        if len(saved) == len(self.param_groups):
            saved = [
                dict(group, **{k: own[k] for k in EXECUTION if k in own})
                for group, own in zip(saved, self.param_groups)
            ]
        super().load_state_dict(dict(state_dict, param_groups=saved))
        self._prepare()

    def _fused_parameters(self) -> Iterator[tuple]:
        """Parameters that a fused step is for, with their groups."""
        for group in self.param_groups:
            if group.get('fused'):
                yield from ((one, group) for one in group['params'])


# Under PyTorch's name, so that every config has it.
@OPTIMIZERS.register_module(name='AdamW')
class DeviceAdamW(FusedOnGPU, torch.optim.AdamW):
    __doc__ = FusedOnGPU.__doc__

    def _prepare(self) -> None:
        # A fused step counts on the device; PyTorch 2.0 leaves the number
        # where the checkpoint had it.
        for parameter, _ in self._fused_parameters():
            state = self.state.get(parameter, {})
            if 'step' in state:
                state['step'] = torch.as_tensor(
                    state['step'],
                    dtype=torch.float32,
                    device=parameter.device)


@OPTIMIZERS.register_module(name='SGD')
class DeviceSGD(FusedOnGPU, torch.optim.SGD):
    __doc__ = FusedOnGPU.__doc__

    def _prepare(self) -> None:
        # PyTorch's fused step makes momentum when all parameters step for the
        # first time: it fails where some have it, as behind a backbone that
        # was frozen, and leaves it undefined where that step is left out.
        # From zero it becomes what it would be.
        for parameter, group in self._fused_parameters():
            state = self.state[parameter]
            if group['momentum'] and state.get('momentum_buffer') is None:
                state['momentum_buffer'] = torch.zeros_like(parameter)


def _tensors(params: list) -> Iterator[Any]:
    """Parameters of a list of them, or of their groups."""
    for one in params:
        if isinstance(one, dict):
            inner = one['params']
            yield from [inner] if isinstance(inner, Tensor) else inner
        else:
            yield one


def _all_on_gpu(params: list) -> bool:
    # A generator among the groups would be used up here.
    for group in params:
        if isinstance(group, dict) and not isinstance(group['params'], Tensor):
            group['params'] = list(group['params'])
    tensors = list(_tensors(params))
    return bool(tensors) and all(
        isinstance(one, Tensor) and one.is_cuda and one.is_floating_point()
        for one in tensors)
