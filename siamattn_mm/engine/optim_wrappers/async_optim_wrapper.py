"""An optimizer step that the host does not wait for."""
from typing import Optional

from mmengine.optim import OptimWrapper
from mmtrack.registry import OPTIM_WRAPPERS
from torch import Tensor
from torch.optim import Optimizer

from .merged_groups import merge_groups_in_steps


class AsyncStep:
    """What ``OptimWrapper`` and ``AmpOptimWrapper`` do otherwise here.

    The gradients' norm is logged behind the step: a GPU is not waited for
    between the gradients and the step. Parameter groups of equal settings are
    one while a step runs: ``paramwise_cfg`` makes one for each parameter,
    which are stepped one after the other.

    Attributes:
        grad_norm (Tensor, optional): Of the last step's gradients before they
            were clipped, on their device; None if they are not clipped by
            their norm.
    """

    grad_norm: Optional[Tensor] = None

    def __init__(self, optimizer: Optimizer, **kwargs) -> None:
        super().__init__(optimizer=optimizer, **kwargs)
        merge_groups_in_steps(optimizer)

    def _clip_grad(self) -> None:
        parameters = [
            p for group in self.optimizer.param_groups
            for p in group['params'] if p.requires_grad and p.grad is not None
        ]
        if parameters:
            self.grad_norm = self.clip_func(parameters,
                                            **self.clip_grad_kwargs)

    def step(self, **kwargs) -> None:
        """Clip the gradients, step, and then log their norm.

        Args:
            **kwargs: Of the optimizer's step.
        """
        self.grad_norm = None
        super().step(**kwargs)
        # Clipping by value has no norm.
        if self.grad_norm is not None:
            self.message_hub.update_scalar(f'train/{self.grad_name}',
                                           float(self.grad_norm))


# Under mmengine's name, so that every config has it, and mmtrack's
# `siamattn train --amp`, which knows no other.
@OPTIM_WRAPPERS.register_module(name='OptimWrapper')
class AsyncOptimWrapper(AsyncStep, OptimWrapper):
    """mmengine's ``OptimWrapper``, with :class:`AsyncStep`.

    Args:
        optimizer (Optimizer): The optimizer.
        **kwargs: As for mmengine's.
    """
