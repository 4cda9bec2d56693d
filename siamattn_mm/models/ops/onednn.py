"""oneDNN's convs with something behind them, as torch.compile calls them.

These operators are no public part of PyTorch, and what they take depends on
it, on oneDNN and on the CPU. So each type is tried once before it is used.
"""
import warnings
from functools import lru_cache
from typing import Optional, Sequence, Set

import torch
from torch import Tensor, nn

from siamattn_mm.utils.messages import first_line

from .full_precision import full_precision

_NAMES = ('_convolution_pointwise', '_reorder_convolution_weight')
_ACTIVATIONS = {nn.ReLU: ('relu', []), nn.ReLU6: ('hardtanh', [0., 6.])}

# Types that work here, and those that do not.
_tried: Set[torch.dtype] = set()
_refused: Set[torch.dtype] = set()


def takes(dtype: torch.dtype) -> bool:
    """Whether :func:`conv` computes in a type here.

    Args:
        dtype (torch.dtype): Of the input.

    Returns:
        bool: Found by trying, the first time; False for good after
        :func:`give_up`.
    """
    if dtype not in _tried:
        _tried.add(dtype)
        if not _works(dtype):
            _refused.add(dtype)
    return dtype not in _refused


def give_up(dtype: torch.dtype, error: Exception) -> None:
    """Never use a type again, and warn of it once.

    Args:
        dtype (torch.dtype): What was refused, although it was taken before.
        error (Exception): Why.
    """
    if dtype not in _refused:
        _refused.add(dtype)
        warnings.warn(
            f'oneDNN refuses a conv of {dtype} ({first_line(error)}): '
            'PyTorch\'s own conv does its work, more slowly', stacklevel=2)


def suits_bf16(kind: str) -> bool:
    """Whether bfloat16 is worth computing in; warns once if it is not.

    Args:
        kind (str): Of the device, e.g. ``'cpu'``.

    Returns:
        bool: False on a CPU without such products (AVX-512, AVX-NE-CONVERT
        or AMX have them), where PyTorch computes in bfloat16 many times more
        slowly than in float32, and where oneDNN is told to use less than the
        CPU has.
    """
    if kind != 'cpu' or takes(torch.bfloat16):
        return True
    _warn_of_bf16()
    return False


@lru_cache(maxsize=None)
def _warn_of_bf16() -> None:
    warnings.warn(
        'precision bf16 is not used: this CPU has no products of bfloat16 '
        'that PyTorch\'s oneDNN can use (AVX-512, AVX-NE-CONVERT or AMX), '
        'and float32 is many times faster without', stacklevel=3)


def _works(dtype: torch.dtype) -> bool:
    if (dtype not in (torch.float32, torch.bfloat16)
            or not torch.backends.mkldnn.is_available()
            or not all(hasattr(torch.ops.mkldnn, name) for name in _NAMES)):
        return False
    if dtype is torch.bfloat16:
        # It would lay no weights out (AVX2).
        supported = getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported',
                            None)
        if supported is None or not supported():
            return False
    # Without numbers: random ones would change those that come next.
    like = nn.Conv2d(16, 16, 3, padding=1, device='meta')
    try:
        with torch.no_grad(), full_precision(torch.device('cpu')):
            x, bias = (torch.zeros(shape, dtype=dtype)
                       for shape in ((1, 16, 8, 8), 16))
            weight = lay_out(
                torch.zeros(like.weight.shape, dtype=dtype), like, x.shape)
            for act in (None, nn.ReLU(), nn.ReLU6()):
                for residual in (None, x):
                    conv(x, weight, bias, like, act, residual)
    except (RuntimeError, TypeError):  # it refuses, or has other arguments
        return False
    return True


def lay_out(weight: Tensor, conv: nn.Conv2d, size: Sequence[int]) -> Tensor:
    """A weight in the order in which oneDNN reads it.

    Args:
        weight (Tensor): (C', C / groups, K_h, K_w).
        conv (nn.Conv2d): Its geometry counts.
        size (Sequence[int]): N, C, H, W of the inputs.

    Returns:
        Tensor: For :func:`conv` alone.

    Raises:
        RuntimeError: If oneDNN refuses.
    """
    return torch.ops.mkldnn._reorder_convolution_weight(
        weight.contiguous(), conv.padding, conv.stride, conv.dilation,
        conv.groups, list(size))


def conv(x: Tensor, weight: Tensor, bias: Optional[Tensor], conv: nn.Conv2d,
         act: Optional[nn.Module], residual: Optional[Tensor]) -> Tensor:
    """``act(conv(x) + residual)`` in one call, as far as oneDNN knows how.

    Args:
        x (Tensor): (N, C, H, W).
        weight (Tensor): Of :func:`lay_out`.
        bias (Tensor, optional): (C',), of the same type.
        conv (nn.Conv2d): Its geometry counts.
        act (nn.Module, optional): Any activation; ReLU and ReLU6 cost
            nothing.
        residual (Tensor, optional): Of the result's shape.

    Returns:
        Tensor: (N, C', H', W').

    Raises:
        RuntimeError: If oneDNN refuses.
    """
    call = torch.ops.mkldnn._convolution_pointwise
    geometry = conv.padding, conv.stride, conv.dilation, conv.groups
    if residual is None:
        name, numbers = _ACTIVATIONS.get(type(act), ('none', []))
        out = call(x, weight, bias, *geometry, name, numbers, '')
        done = name != 'none'
    else:
        # Behind a sum it knows ReLU alone.
        done = type(act) is nn.ReLU
        out = call.binary(x, residual.to(x.dtype), weight, bias, *geometry,
                          'add', 1., 'relu' if done else None, [], '')
    return out if act is None or done else act(out)
