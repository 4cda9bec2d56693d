"""Fold norms into the convs before them, for inference."""
import functools
from typing import Optional

import torch
from mmcv.cnn import ConvModule
from mmdet.models.backbones.resnet import Bottleneck
from torch import Tensor, nn

from .derived import forget_outdated
from .fused_conv import can_fuse, fused_conv


def _can_run(norm: Optional[nn.Module]) -> bool:
    return not (torch.is_grad_enabled() or norm is not None and norm.training)


def _forward_module(self: ConvModule,
                    x: Tensor,
                    activate: bool = True,
                    norm: bool = True) -> Tensor:
    own_norm = self.norm if self.with_norm else None
    if not norm or not _can_run(own_norm):
        return type(self).forward(self, x, activate, norm)
    act = self.activate if activate and self.with_activation else None
    return fused_conv(x, self.conv, own_norm, act)


def _forward_bottleneck(self: Bottleneck, x: Tensor) -> Tensor:
    if not _can_run(self.norm1):
        return type(self).forward(self, x)
    identity = x
    if self.downsample is not None:
        identity = fused_conv(x, *self.downsample)
    out = fused_conv(x, self.conv1, self.norm1, self.relu)
    out = fused_conv(out, self.conv2, self.norm2, self.relu)
    return fused_conv(out, self.conv3, self.norm3, self.relu, identity)


def _can_fold_module(module: ConvModule) -> bool:
    return (type(module).forward is ConvModule.forward
            and not module.with_explicit_padding
            and module.order == ('conv', 'norm', 'act') and can_fuse(
                module.conv, module.norm if module.with_norm else None))


def _can_fold_bottleneck(module: Bottleneck) -> bool:
    pairs = [(getattr(module, f'conv{i}'), getattr(module, f'norm{i}'))
             for i in (1, 2, 3)]
    if module.downsample is not None:
        if len(module.downsample) != 2:
            return False
        pairs.append(tuple(module.downsample))
    return (type(module).forward is Bottleneck.forward
            and not module.with_plugins
            and all(can_fuse(*pair) for pair in pairs))


def fold_norms(model: nn.Module) -> int:
    """Make convs run as one with their batch norm and activation.

    That is every ``ConvModule`` and every bottleneck of a ResNet, with its
    residual. Modules that fold by themselves have an attribute
    ``folds_norms``, which becomes True. Parameters, buffers and their names
    stay as they are: a checkpoint can still be saved or loaded, and training
    is not concerned. Only evaluation without gradients takes the folded
    weights. They follow a change of what they come from, but for a write
    through ``.data``, which cannot be seen; calling this again sees it. Cheap
    enough to do so for each video.

    Args:
        model (nn.Module): Changed in place.

    Returns:
        int: How many modules fold.
    """
    forget_outdated(model)
    count = 0
    for module in model.modules():
        if hasattr(type(module), 'folds_norms'):
            module.folds_norms = True
        if isinstance(module, ConvModule) and _can_fold_module(module):
            forward = _forward_module
        elif isinstance(module, Bottleneck) and _can_fold_bottleneck(module):
            forward = _forward_bottleneck
        else:
            continue
        # A bound method of this file's could not be pickled: it would be
        # looked for in the module's class.
        module.forward = functools.partial(forward, module)
        count += 1
    return count
