"""What happens when a loss is nan or infinite."""
import logging
from typing import Any, Dict, List, Optional, Union

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmtrack.registry import HOOKS
from torch import Tensor
from torch.optim import Optimizer


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Keep nan and infinity out of the weights; stop, or skip the step.

    Gradients that are not finite are dropped before the optimizer sees them.
    In distributed training they have been averaged by then, so that all
    processes skip the same steps. mmdet's ``CheckInvalidLossHook`` looks
    after the step, when the weights are lost.

    A fused optimizer leaves the step out by itself, so that a GPU is not
    waited for before it. A loss scaler's steps are its own business: it
    leaves those out whose gradients have no room in half precision, and goes
    on with a smaller scale.

    Args:
        action (str): ``'stop'`` raises an error that names the loss and the
            samples; ``'skip'`` warns, leaves the weights as they are and
            goes on with the next batch. Defaults to 'stop'.
        max_skips (int): So many steps in a row may be skipped; one more
            stops training. Defaults to 10.

    Raises:
        ValueError: If ``action`` is another word or ``max_skips`` negative.
    """

    # Before anything (a moving average, a checkpoint) uses the step.
    priority = 'VERY_HIGH'

    def __init__(self, action: str = 'stop', max_skips: int = 10) -> None:
        if action not in ('stop', 'skip'):
            raise ValueError(
                f'action must be \'stop\' or \'skip\', but got {action!r}')
        if max_skips < 0:
            raise ValueError(
                f'max_skips must be 0 or more, but got {max_skips}')
        self.action = action
        self.max_skips = max_skips
        # Of the last step: a bool, or a tensor that nobody has read yet.
        self._dropped: Union[bool, Tensor] = False
        self._skips = 0

    def before_train(self, runner: Runner) -> None:
        """Have a look at the gradients before each step from now on.

        Args:
            runner (Runner): Its optimizer is complete.
        """
        self._wrapper = runner.optim_wrapper
        optimizer = runner.optim_wrapper.optimizer
        optimizer.register_step_pre_hook(self._check)
        optimizer.register_step_post_hook(_forget_verdict)

    def _check(self, optimizer: Optimizer, args: tuple, kwargs: dict) -> None:
        if getattr(optimizer, 'found_inf', None) is not None:
            return  # a loss scaler has looked
        gradients = [
            p.grad for group in optimizer.param_groups
            for p in group['params'] if p.grad is not None
        ]
        if not gradients:
            return
        # Clipping has made one number of all gradients.
        norm = getattr(self._wrapper, 'grad_norm', None)
        if norm is None:
            norm = torch.stack([g.float().norm() for g in gradients])
        bad = ~torch.isfinite(norm).all()
        if _leaves_steps_out(optimizer):
            optimizer.found_inf = bad.float()
            optimizer.verdict_of_hook = True
            self._dropped = bad
        elif bad:
            self._dropped = True
            for group in optimizer.param_groups:
                for parameter in group['params']:
                    parameter.grad = None

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[Dict[str, Any]] = None) -> None:
        """Stop, or count what was skipped.

        Args:
            runner (Runner): Which has just done a step.
            batch_idx (int): Of the batch in the epoch.
            data_batch (dict, optional): With ``data_samples``.
                Defaults to None.
            outputs (dict, optional): The losses by name. Defaults to None.

        Raises:
            FloatingPointError: If a loss or gradient is not finite, and
                training shall stop, or has gone wrong too often.
        """
        bad = _not_finite(outputs or {})
        if not bad and not self._dropped:
            self._skips = 0
            return
        self._dropped = False
        self._skips += 1
        message = (f'epoch {runner.epoch + 1}, iteration {runner.iter + 1}: '
                   f'{_describe(bad, outputs or {})}')
        samples = _sample_ids(data_batch)
        if samples:
            message += f'; samples (seed, epoch, index): {samples}'
        if self.action == 'stop':
            raise FloatingPointError(
                f'{message}. The weights are those before this step; '
                'NonFiniteLossHook(action=\'skip\') would go on')
        if self._skips > self.max_skips:
            raise FloatingPointError(
                f'{message}. {self._skips} steps in a row were not finite, '
                f'max_skips={self.max_skips}')
        # A batch norm in training mode keeps a nan for ever.
        lost = [
            name for name, buffer in runner.model.named_buffers()
            if buffer.is_floating_point() and not buffer.isfinite().all()
        ]
        if lost:
            raise FloatingPointError(
                f'{message}. It has reached running statistics, which cannot '
                f'be mended: {", ".join(lost[:4])}')
        print_log(
            f'{message}; step skipped', logger='current',
            level=logging.WARNING)


def _leaves_steps_out(optimizer: Optimizer) -> bool:
    """Whether a step is left out on the device where ``found_inf`` is 1.

    It is PyTorch's agreement between loss scalers and fused optimizers.
    """
    return (getattr(optimizer, '_step_supports_amp_scaling', False) and all(
        group.get('fused') for group in optimizer.param_groups))


def _forget_verdict(optimizer: Optimizer, args: tuple, kwargs: dict) -> None:
    # A loss scaler takes back its own.
    if getattr(optimizer, 'verdict_of_hook', False):
        del optimizer.found_inf, optimizer.verdict_of_hook


def _not_finite(outputs: Dict[str, Any]) -> List[str]:
    return [
        name for name, value in outputs.items()
        if 'loss' in name and not torch.isfinite(torch.as_tensor(value)).all()
    ]


def _describe(bad: List[str], outputs: Dict[str, Any]) -> str:
    # `loss` is the sum: of no news where its part is named.
    bad = [name for name in bad if name != 'loss'] or bad
    if not bad:
        return 'the losses are finite here, but a gradient is not'
    return ', '.join(
        f'{name} is {float(torch.as_tensor(outputs[name]).detach())}'
        for name in bad)


def _sample_ids(data_batch: Optional[dict]) -> List[tuple]:
    samples = data_batch.get('data_samples', []) if isinstance(
        data_batch, dict) else []
    return [
        sample.metainfo['sample_id'] for sample in samples
        if 'sample_id' in getattr(sample, 'metainfo', {})
    ]
