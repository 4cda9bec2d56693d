"""3x3 convs with fewer multiplications (Winograd's algorithm)."""
from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn

# Below these, what is saved is less than what the transforms take.
_MIN_CHANNELS = 256
_MIN_POSITIONS = 64
_MIN_DILATED = 1024
# Output channels that are computed at once, and whose weights are transformed
# at once: what is in memory in between is 16 times as much.
_AT_ONCE = 1024
_PART = 64
# F(2x2, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural
# Networks", 2016: what makes 4x4 weights of 3x3 ones.
_KERNEL = [[1., 0., 0.], [.5, .5, .5], [.5, -.5, .5], [0., 0., 1.]]


def suits_winograd(conv: nn.Conv2d, size: Tuple[int, ...]) -> bool:
    """Whether :func:`winograd_conv` computes a conv, and faster.

    Args:
        conv (nn.Conv2d): Any.
        size (tuple[int]): Of its input, (N, C, H, W).

    Returns:
        bool: True for 3x3 convs of stride 1 with many channels, on maps that
        are not tiny.
    """
    return (conv.kernel_size == (3, 3) and conv.stride == (1, 1)
            and conv.groups == 1 and conv.dilation[0] == conv.dilation[1]
            and min(conv.in_channels, conv.out_channels) >= _MIN_CHANNELS
            and (conv.dilation[0] == 1 or conv.out_channels >= _MIN_DILATED)
            and size[2] * size[3] > _MIN_POSITIONS)


def winograd_weight(weight: Tensor) -> Tensor:
    """Transform a conv's weight.

    Args:
        weight (Tensor): (C', C, 3, 3).

    Returns:
        Tensor: (16, C, C').
    """
    kernel = weight.new_tensor(_KERNEL)
    out = weight.new_empty(4, 4, weight.shape[1], len(weight))
    # In parts: einsum() has several results of this size in memory.
    for part, place in zip(
            weight.split(_PART), out.split(_PART, dim=-1)):
        place.copy_(torch.einsum('ik,ockl,jl->ijco', kernel, part, kernel))
    return out.flatten(0, 1)


def _differences(parts: List[Tensor], outs: List[Optional[Tensor]]
                 ) -> List[Tensor]:
    """The input's transform along one axis."""
    first, second, third, fourth = parts
    return [
        torch.sub(first, third, out=outs[0]),
        torch.add(second, third, out=outs[1]),
        torch.sub(third, second, out=outs[2]),
        torch.sub(second, fourth, out=outs[3])
    ]


def winograd_conv(x: Tensor, weight: Tensor, bias: Optional[Tensor],
                  padding: Tuple[int, int], dilation: int) -> Tensor:
    """A 3x3 conv of stride 1, without gradients.

    Each 2x2 outputs come from 16 products per pair of channels, not from 36.
    The numbers are a direct conv's up to rounding. A dilated conv is one on
    every ``dilation``-th row and column.

    Args:
        x (Tensor): (N, C, H, W); fastest in channels-last memory.
        weight (Tensor): (16, C, C') of :func:`winograd_weight`.
        bias (Tensor, optional): (C',).
        padding (tuple[int, int]): Zeros above and left of the map.
        dilation (int): Of both axes.

    Returns:
        Tensor: (N, C', H', W') in channels-last memory, maybe a view.
    """
    num, channels, height, width = x.shape
    d, out_channels = dilation, weight.shape[2]
    out_size = [
        size + 2 * pad - 2 * d for size, pad in zip((height, width), padding)
    ]
    rows, columns = (-(-size // (2 * d)) for size in out_size)

    tiles = _tiles_of(x, padding, d, rows, columns)
    out = x.new_empty(num, rows, 2, d, columns, 2, d, out_channels)
    for start in range(0, out_channels, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        products = torch.bmm(tiles.view(16, -1, channels), weight[..., part])
        _combine(
            products.view(4, 4, num, rows, d, columns, d, -1),
            None if bias is None else bias[part], out[..., part])
    out = out.view(num, 2 * rows * d, 2 * columns * d, out_channels)
    return out[:, :out_size[0], :out_size[1]].permute(0, 3, 1, 2)


def _tiles_of(x: Tensor, padding: Tuple[int, int], d: int, rows: int,
              columns: int) -> Tensor:
    """The input's 4x4 tiles, transformed: (4, 4, N, rows, d, columns, d, C).

    Every 2x2 outputs depend on 4x4 inputs, two of which they share with the
    next ones.
    """
    num, channels, height, width = x.shape
    padded = x.new_zeros(num, (2 * rows + 2) * d, (2 * columns + 2) * d,
                         channels)
    padded[:, padding[0]:padding[0] + height,
           padding[1]:padding[1] + width] = x.permute(0, 2, 3, 1)
    # (num, row, phase of the row, column, phase of the column, C)
    padded = padded.view(num, 2 * rows + 2, d, 2 * columns + 2, d, channels)
    tiles = x.new_empty(4, 4, num, rows, d, columns, d, channels)
    by_row = _differences(
        [padded[:, i:i + 2 * rows:2] for i in range(4)], [None] * 4)
    for row, out in zip(by_row, tiles):
        _differences([row[:, :, :, i:i + 2 * columns:2] for i in range(4)],
                     list(out))
    return tiles


def _combine(products: Tensor, bias: Optional[Tensor], out: Tensor) -> None:
    """The output's transform.

    Args:
        products (Tensor): (4, 4, N, rows, d, columns, d, C').
        bias (Tensor, optional): (C',).
        out (Tensor): (N, rows, 2, d, columns, 2, d, C'), filled here.
    """
    both = products[1] + products[2], products[1] - products[2]
    if bias is not None:
        # In what becomes each output, once.
        both[0][1].add_(bias)
        both[1][1].add_(bias)
    for i, summed in enumerate((both[0].add_(products[0]),
                                both[1].sub_(products[3]))):
        first, second, third, fourth = summed
        torch.add(first, second + third, out=out[:, :, i, :, :, 0])
        torch.sub(second - third, fourth, out=out[:, :, i, :, :, 1])
