"""A conv with its norm, activation and residual in one call."""
import contextlib
from typing import Any, Iterator, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamattn_mm.torch_compat import autocast_dtype

from .derived import derived
from .full_precision import full_precision
from .winograd import suits_winograd, winograd_conv, winograd_weight

# oneDNN's convs with something behind them, as torch.compile calls them.
_NAMES = ('_convolution_pointwise', '_reorder_convolution_weight')
# Inputs may be so many times as high as those that weights are laid out for.
_GROWTH = 1.5
_ACTIVATIONS = {nn.ReLU: ('relu', []), nn.ReLU6: ('hardtanh', [0., 6.])}


def _has_onednn() -> bool:
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name) for name in _NAMES)


_ONEDNN = _has_onednn()


def _has_onednn_bf16() -> bool:
    # Where the CPU has no such products (AVX2), oneDNN lays no weights out.
    supported = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported', None)
    return _ONEDNN and supported is not None and supported()


_ONEDNN_TYPES = (torch.float32, ) + (torch.bfloat16, ) * _has_onednn_bf16()


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
        return tuple(s for part in self.parts for s in _sources(*part))

    def folded(self) -> Tuple[Tensor, Tensor]:
        """tuple[Tensor, Tensor]: The parts' weights and biases."""
        weights, biases = zip(*(folded(*part) for part in self.parts))
        return torch.cat(weights), torch.cat([
            w.new_zeros(len(w)) if b is None else b
            for w, b in zip(weights, biases)
        ])


def _sources(conv: nn.Conv2d,
             norm: Optional[nn.Module]) -> Tuple[Optional[Tensor], ...]:
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
    global _scale
    before, _scale = _scale, scale
    try:
        yield
    finally:
        _scale = before


_scale = 1.


def _prepared(conv: nn.Conv2d, norm: Optional[nn.Module], dtype: torch.dtype,
              onednn: bool, size: torch.Size) -> Tuple[Any, ...]:
    """Folded weight and bias, and the height that they are laid out for."""
    height = size[2] * _scale

    def make() -> Tuple[Any, ...]:
        weight, bias = _folded_for(conv, norm, dtype)
        if onednn:
            weight = torch.ops.mkldnn._reorder_convolution_weight(
                weight.contiguous(), conv.padding, conv.stride, conv.dilation,
                conv.groups,
                [size[0], size[1],
                 round(height), round(size[3] * _scale)])
        return weight, bias, height

    return derived(
        conv, (dtype, onednn),
        _sources(conv, norm),
        make,
        fits=lambda value: not onednn or height <= _GROWTH * value[2])


def _folded_for(conv: nn.Conv2d, norm: Optional[nn.Module],
                dtype: torch.dtype) -> Tuple[Tensor, Optional[Tensor]]:
    # Autocast would fold in half precision.
    device = _sources(conv, norm)[0].device
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
    return (type(conv) is nn.Conv2d and conv.padding_mode == 'zeros'
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
    of oneDNN, whose weights are laid out once; elsewhere, a conv with folded
    weights. Under autocast both run in its type.

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
            conv, 'winograd', _sources(conv, norm),
            lambda: _winograd_parts(conv, norm))
        out = winograd_conv(x, weight, bias, conv.padding, conv.dilation[0])
        if residual is not None:
            out = out + residual
        return out if act is None else act(out)
    onednn = (_ONEDNN and x.device.type == 'cpu' and dtype in _ONEDNN_TYPES)
    weight, bias, _ = _prepared(conv, norm, dtype, onednn, x.shape)
    if not onednn:
        out = F.conv2d(x, weight, bias, conv.stride, conv.padding,
                       conv.dilation, conv.groups)
        if residual is not None:
            out = out + residual
        return out if act is None else act(out)
    call = torch.ops.mkldnn._convolution_pointwise
    geometry = conv.padding, conv.stride, conv.dilation, conv.groups
    if residual is None:
        name, numbers = _ACTIVATIONS.get(type(act), ('none', []))
        out = call(x, weight, bias, *geometry, name, numbers, '')
        done = name != 'none'
    else:
        # Behind a sum it knows ReLU alone.
        done = type(act) is nn.ReLU
        out = call.binary(x, residual.to(dtype), weight, bias, *geometry,
                          'add', 1., 'relu' if done else None, [], '')
    return out if act is None or done else act(out)
