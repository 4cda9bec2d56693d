"""A conv with its norm, activation and residual in one call."""
import contextlib
import contextvars
from typing import Any, Iterator, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamattn_mm.torch_compat import autocast_dtype

from . import onednn
from .derived import derived
from .dilated_depthwise_conv import DilatedDepthwiseConv2d
from .full_precision import full_precision
from .winograd import suits_winograd, winograd_conv, winograd_weight

# What others may compute in the place of; subclasses do more.
_CONVS = (nn.Conv2d, DilatedDepthwiseConv2d)
# Inputs may be so many times as high as those that weights are laid out for.
_GROWTH = 1.5


class JoinedConv(nn.Conv2d):
    """Convs of one input, as one whose outputs are theirs in turn.

    It has no weights of its own: only what :func:`fused_conv` makes of
    theirs is in memory.

    Args:
        parts (Sequence[tuple[nn.Conv2d, nn.Module | None]]): Convs of one
            geometry without groups, each with its norm.
    """

    def __init__(
            self,
            parts: Sequence[Tuple[nn.Conv2d, Optional[nn.Module]]]) -> None:
        like = parts[0][0]
        super().__init__(
            like.in_channels,
            sum(conv.out_channels for conv, _ in parts),
            like.kernel_size,
            like.stride,
            like.padding,
            like.dilation,
            device='meta')
        # Not as modules: these belong to others.
        self.__dict__['parts'] = tuple(parts)

    def sources(self) -> Tuple[Optional[Tensor], ...]:
        """tuple[Tensor | None]: What all parts' weights come from."""
        return tuple(s for part in self.parts for s in weight_sources(*part))

    def folded(self) -> Tuple[Tensor, Tensor]:
        """tuple[Tensor, Tensor]: The parts' weights and biases."""
        weights, biases = zip(*(folded(*part) for part in self.parts))
        return torch.cat(weights), torch.cat([
            w.new_zeros(len(w)) if b is None else b
            for w, b in zip(weights, biases)
        ])


def weight_sources(
        conv: nn.Conv2d,
        norm: Optional[nn.Module]) -> Tuple[Optional[Tensor], ...]:
    """What :func:`folded` depends on, for :func:`derived`.

    Args:
        conv (nn.Conv2d): The conv.
        norm (nn.Module, optional): Batch norm with running statistics.

    Returns:
        tuple[Tensor | None]: The conv's weight first.
    """
    if isinstance(conv, JoinedConv):
        return conv.sources()
    # Not as attributes: nn.Module looks those up slowly, at every frame.
    own = conv._parameters
    if norm is None:
        return own['weight'], own['bias']
    affine, buffers = norm._parameters, norm._buffers
    return (own['weight'], own['bias'], affine['weight'], affine['bias'],
            buffers['running_mean'], buffers['running_var'])


def folded(conv: nn.Conv2d,
           norm: Optional[nn.Module]) -> Tuple[Tensor, Optional[Tensor]]:
    """Weight and bias of a conv and the batch norm behind it.

    Args:
        conv (nn.Conv2d): The conv.
        norm (nn.Module, optional): Batch norm with running statistics.

    Returns:
        tuple[Tensor, Tensor | None]: Those of one conv with the same
        numbers in evaluation.
    """
    if isinstance(conv, JoinedConv):
        return conv.folded()
    weight, bias = conv.weight, conv.bias
    if norm is None:
        return weight, bias
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight
    offset = -norm.running_mean if bias is None else bias - norm.running_mean
    offset = offset * scale
    if norm.bias is not None:
        offset = offset + norm.bias
    return weight * scale.view(-1, 1, 1, 1), offset


@contextlib.contextmanager
def laid_out_for(scale: float) -> Iterator[None]:
    """Lay weights out for larger inputs than those that come first.

    oneDNN's layout depends on the input, and one that was made for a small
    input takes half as long again for a large one.

    Args:
        scale (float): How many times as long the larger input's sides are.
    """
    token = _SCALE.set(scale)
    try:
        yield
    finally:
        _SCALE.reset(token)


# Each thread has its own.
_SCALE = contextvars.ContextVar('scale', default=1.)


def _prepared(conv: nn.Conv2d, norm: Optional[nn.Module], dtype: torch.dtype,
              laid_out: bool, size: torch.Size) -> Tuple[Any, ...]:
    """Folded weight and bias, and the height that they are laid out for."""
    scale = _SCALE.get()
    height = size[2] * scale

    def make() -> Tuple[Any, ...]:
        weight, bias = _folded_for(conv, norm, dtype)
        if laid_out:
            weight = onednn.lay_out(
                weight, conv,
                [size[0], size[1],
                 round(height), round(size[3] * scale)])
        return weight, bias, height

    return derived(
        conv, (dtype, laid_out),
        weight_sources(conv, norm),
        make,
        fits=lambda value: not laid_out or height <= _GROWTH * value[2])


def _folded_for(conv: nn.Conv2d, norm: Optional[nn.Module],
                dtype: torch.dtype) -> Tuple[Tensor, Optional[Tensor]]:
    # Autocast would fold in half precision.
    device = weight_sources(conv, norm)[0].device
    with full_precision(device):
        weight, bias = folded(conv, norm)
        return (weight.detach().to(dtype),
                None if bias is None else bias.detach().to(dtype))


def _winograd_parts(conv: nn.Conv2d, norm: Optional[nn.Module]
                    ) -> Tuple[Tensor, Optional[Tensor]]:
    weight, bias = _folded_for(conv, norm, torch.float32)
    return winograd_weight(weight), bias


def can_fuse(conv: Any, norm: Optional[nn.Module] = None) -> bool:
    """Whether :func:`fused_conv` can take these.

    Args:
        conv (nn.Module): Maybe a conv.
        norm (nn.Module, optional): What follows it.

    Returns:
        bool: True for a zero-padded ``nn.Conv2d`` itself, followed by
        nothing or by a batch norm with running statistics.
    """
    return (type(conv) in _CONVS and conv.padding_mode == 'zeros'
            and not isinstance(conv.padding, str)
            and (norm is None
                 or isinstance(norm, nn.modules.batchnorm._BatchNorm)
                 and norm.track_running_stats))


def fused_conv(x: Tensor,
               conv: nn.Conv2d,
               norm: Optional[nn.Module] = None,
               act: Optional[nn.Module] = None,
               residual: Optional[Tensor] = None) -> Tensor:
    """``act(norm(conv(x)) + residual)`` in evaluation, without gradients.

    Parameters and their names stay where they are. On a CPU it is one call
    of oneDNN, whose weights are laid out once; elsewhere, and where oneDNN
    refuses, a conv with folded weights. Under autocast both run in its type.

    Args:
        x (Tensor): (N, C, H, W).
        conv (nn.Conv2d): As :func:`can_fuse` wants it.
        norm (nn.Module, optional): Likewise. Defaults to None.
        act (nn.Module, optional): Any activation; ReLU and ReLU6 cost
            nothing. Defaults to None.
        residual (Tensor, optional): Of the result's shape. Defaults to None.

    Returns:
        Tensor: (N, C', H', W').
    """
    dtype = x.dtype
    kind = x.device.type
    cast = autocast_dtype(kind)
    if cast is not None:
        # Folded weights are kept in that type, not cast at each frame.
        dtype = cast
        x = x.to(dtype)
    if (dtype is torch.float32 and kind == 'cpu'
            and suits_winograd(conv, x.shape)):
        weight, bias = derived(
            conv, 'winograd', weight_sources(conv, norm),
            lambda: _winograd_parts(conv, norm))
        out = winograd_conv(x, weight, bias, conv.padding, conv.dilation[0])
        if residual is not None:
            out = out + residual
        return out if act is None else act(out)
    refusal = None
    if kind == 'cpu' and onednn.takes(dtype):
        try:
            weight, bias, _ = _prepared(conv, norm, dtype, True, x.shape)
            return onednn.conv(x, weight, bias, conv, act, residual)
        except RuntimeError as error:
            refusal = error
    out = _plain_conv(x, conv, norm, act, residual, dtype)
    if refusal is not None:
        # The plain conv did it: so nothing was wrong with the input.
        onednn.give_up(dtype, refusal)
    return out


def _plain_conv(x: Tensor, conv: nn.Conv2d, norm: Optional[nn.Module],
                act: Optional[nn.Module], residual: Optional[Tensor],
                dtype: torch.dtype) -> Tensor:
    weight, bias, _ = _prepared(conv, norm, dtype, False, x.shape)
    out = F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation,
                   conv.groups)
    if residual is not None:
        out = out + residual
    return out if act is None else act(out)
