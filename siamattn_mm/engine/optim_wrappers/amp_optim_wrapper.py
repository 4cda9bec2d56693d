"""Automatic mixed precision on a CPU too."""
import warnings
from typing import Union

import torch
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer.amp_optimizer_wrapper import GradScaler
from mmtrack.registry import OPTIM_WRAPPERS

from siamattn_mm.models.ops.onednn import takes

from .async_optim_wrapper import AsyncStep
from .merged_groups import merge_groups_in_steps


# Under mmengine's name, so that `siamattn train --amp` finds it.
@OPTIM_WRAPPERS.register_module(name='AmpOptimWrapper')
class AnyDeviceAmpOptimWrapper(AsyncStep, AmpOptimWrapper):
    """mmengine's ``AmpOptimWrapper``, which also takes a CPU.

    On a CPU it casts to bfloat16, whose range is that of float32: losses are
    not scaled, whatever ``loss_scale`` says. A CPU without such products does
    it many times more slowly than float32, and a warning says so. Elsewhere
    the precision is as mmengine has it.

    Args:
        loss_scale (str | float | dict): As for mmengine's; not used on a
            CPU. Defaults to 'dynamic'.
        dtype (str | torch.dtype, optional): Defaults to None: bfloat16 on a
            CPU, the device's own elsewhere.
        **kwargs: As for mmengine's ``AmpOptimWrapper``.

    Raises:
        ValueError: If another type than bfloat16 is asked for on a CPU.
    """

    def __init__(self,
                 loss_scale: Union[str, float, dict] = 'dynamic',
                 dtype: Union[None, str, torch.dtype] = None,
                 **kwargs) -> None:
        if get_device() != 'cpu':
            super().__init__(loss_scale=loss_scale, dtype=dtype, **kwargs)
            return
        if dtype not in (None, 'bfloat16', torch.bfloat16):
            raise ValueError('mixed precision on a CPU is bfloat16, but got '
                             f'dtype={dtype!r}')
        if not takes(torch.bfloat16):
            warnings.warn(
                'mixed precision on this CPU is many times slower than '
                'float32: it has no products of bfloat16 that PyTorch\'s '
                'oneDNN can use (AVX-512, AVX-NE-CONVERT or AMX). Leave '
                '--amp out', stacklevel=2)
        kwargs.pop('use_fsdp', None)
        # mmengine's own __init__ refuses a CPU.
        OptimWrapper.__init__(self, **kwargs)
        merge_groups_in_steps(self.optimizer)
        self._scale_update_param = None
        self.loss_scaler = GradScaler(enabled=False)
        self.cast_dtype = None

    def state_dict(self) -> dict:
        """State of the optimizer and, unless on a CPU, of the loss scaler.

        Returns:
            dict: As for mmengine's; a GPU can go on with a CPU's.
        """
        state = super().state_dict()
        if not self.loss_scaler.is_enabled():
            state.pop('loss_scaler')
        return state
