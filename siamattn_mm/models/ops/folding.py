"""Fold norms into the convs before them, for inference."""
import types
from typing import Optional, Tuple

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def _sources(module: ConvModule) -> Tuple[Optional[Tensor], ...]:
    # Not as attributes: nn.Module looks those up slowly, at every frame.
    conv, norm = module.conv._parameters, module.norm._parameters
    buffers = module.norm._buffers
    return (conv['weight'], conv['bias'], norm['weight'], norm['bias'],
            buffers['running_mean'], buffers['running_var'])


def _folded(module: ConvModule) -> Tuple[Tensor, Tensor]:
    """Weight and bias of conv and norm together, computed once.

    They are computed again when what they come from has changed: loaded,
    trained, moved or cast. A write through ``.data`` cannot be seen;
    :func:`fold_norms` forgets what was computed.
    """
    sources = _sources(module)
    key = [(id(s), s._version) for s in sources if s is not None]
    key.append((sources[0].device, sources[0].dtype))
    if module.__dict__.get('_folded_key') != key:
        weight, bias, gain, shift, mean, var = sources
        scale = (var + module.norm.eps).rsqrt()
        if gain is not None:
            scale = scale * gain
        offset = -mean if bias is None else bias - mean
        offset = offset * scale
        if shift is not None:
            offset = offset + shift
        module._folded_key = key
        module._folded_value = (weight * scale.view(-1, 1, 1, 1), offset)
    return module._folded_value


def _forward(self: ConvModule,
             x: Tensor,
             activate: bool = True,
             norm: bool = True) -> Tensor:
    if not norm or self.norm.training or torch.is_grad_enabled():
        return type(self).forward(self, x, activate, norm)
    x = self.conv._conv_forward(x, *_folded(self))
    return self.activate(x) if activate and self.with_activation else x


def fold_norms(model: nn.Module) -> int:
    """Make every ``ConvModule`` run its conv and batch norm as one conv.

    Parameters, buffers and their names stay as they are: a checkpoint can
    still be saved or loaded, and training is not concerned. Only evaluation
    without gradients takes the folded weights. Cheap enough to call again for
    each video.

    Args:
        model (nn.Module): Changed in place.

    Returns:
        int: How many modules fold.
    """
    count = 0
    for module in model.modules():
        if (isinstance(module, ConvModule)
                and type(module).forward is ConvModule.forward
                and type(module.conv) is nn.Conv2d and module.with_norm
                and not module.with_explicit_padding
                and isinstance(module.norm, _BatchNorm)
                and module.norm.track_running_stats
                and module.order == ('conv', 'norm', 'act')):
            module.forward = types.MethodType(_forward, module)
            module._folded_key = None
            count += 1
    return count
