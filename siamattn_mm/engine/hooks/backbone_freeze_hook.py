"""Train the backbone from a given epoch on."""
import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmtrack.registry import HOOKS
from torch import nn


@HOOKS.register_module()
class BackboneFreezeHook(Hook):
    """Freeze stages of the backbone for the first epochs.

    The backbone is built as it is in the end, with the stages frozen that
    are never trained: ``backbone=dict(frozen_stages=1)`` trains stages 2 to
    4. This hook raises ``frozen_stages`` for the first epochs and then puts
    it back. So the optimizer has all parameters from the beginning, with
    their learning rates (``paramwise_cfg=dict(custom_keys=dict(
    backbone=dict(lr_mult=0.1)))``), and DDP, which asks once what has a
    gradient, knows about them too. Until they have one, the optimizer passes
    them by: neither weight decay nor momentum moves them.

    mmtrack's ``SiamRPNBackboneUnfreezeHook`` goes the other way and never
    trains the backbone: ``model.train()`` freezes it again, mmengine leaves
    frozen parameters out of the optimizer, and DDP out of its reduction.

    Several processes need ``find_unused_parameters=True``, because parameters
    that DDP knows about get no gradient at first, and no ``static_graph``.

    Norms follow the backbone's ``norm_eval`` in trained stages; frozen stages
    are in evaluation mode.

    Args:
        epochs (int): How many epochs the stages stay frozen; 0 trains them
            from the beginning. Defaults to 10.
        frozen_stages (int): How many stages are frozen in these epochs, the
            stem included. Defaults to 4.

    Raises:
        ValueError: If ``epochs`` is negative. When training starts: if the
            backbone has no such stages, or is built with them frozen.
    """

    def __init__(self, epochs: int = 10, frozen_stages: int = 4) -> None:
        if epochs < 0:
            raise ValueError(f'epochs must be 0 or more, but got {epochs}')
        self.epochs = epochs
        self.frozen_stages = frozen_stages

    def before_train(self, runner: Runner) -> None:
        """Remember what is trained in the end.

        Args:
            runner (Runner): Its model is as it was built.
        """
        backbone = _backbone(runner)
        built = getattr(backbone, 'frozen_stages', None)
        if built is None or not hasattr(backbone,
                                        f'layer{self.frozen_stages}'):
            raise ValueError(
                f'frozen_stages is {self.frozen_stages}, but the backbone '
                f'{type(backbone).__name__} has no such stage')
        if built >= self.frozen_stages:
            raise ValueError(
                f'the backbone is built with frozen_stages={built}, so that '
                'nothing is left to train after the first '
                f'{self.epochs} epochs: set model.backbone.frozen_stages to '
                'the number of stages that stay frozen, less than '
                f'{self.frozen_stages}')
        if runner.max_epochs <= self.epochs:
            print_log(
                f'the backbone stays frozen: there are {runner.max_epochs} '
                f'epochs, and it would be trained after {self.epochs}',
                logger='current',
                level=logging.WARNING)
        self._built_frozen_stages = built
        self._trained = [p for p in backbone.parameters() if p.requires_grad]

    def before_train_epoch(self, runner: Runner) -> None:
        """Freeze, or train.

        Args:
            runner (Runner): Says which epoch comes, counted from 0.
        """
        backbone = _backbone(runner)
        frozen = (
            self.frozen_stages
            if runner.epoch < self.epochs else self._built_frozen_stages)
        if backbone.frozen_stages != frozen:
            print_log(
                f'epoch {runner.epoch + 1}: {frozen} stages of the backbone '
                'are frozen',
                logger='current')
        backbone.frozen_stages = frozen
        for parameter in self._trained:
            parameter.requires_grad = True
        # Freezes by `frozen_stages`, now and whenever mmengine calls it.
        backbone.train()


def _backbone(runner: Runner) -> nn.Module:
    model = runner.model
    if is_model_wrapper(model):
        model = model.module
    return model.backbone
