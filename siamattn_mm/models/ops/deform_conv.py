"""Deformable convolution (v1) that is fast on a CPU too."""
from typing import Optional, Tuple, Union

import torch
import torch.nn.functional as F
from mmcv.ops import DeformConv2dPack
from mmtrack.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from siamattn_mm.torch_compat import autocast_dtype

from . import mmcv_ops
from .constants import cached_constant
from .derived import derived
from .paths import HasPaths
from .weighted_rows import weighted_rows

Pair = Union[int, Tuple[int, int]]

# Positions of a map that batches gain nothing by.
SMALL = 100


@cached_constant()
def _grid(taps: Tuple[int, int], out_size: Tuple[int, int],
          stride: Tuple[int, int], padding: Tuple[int, int],
          dilation: Tuple[int, int], device: torch.device,
          dtype: torch.dtype) -> Tensor:
    """Where the taps lie without offsets.

    Returns:
        Tensor: (K_h * K_w, 2, H', W'), y and x in cells of a map with one
        cell of padding.
    """
    grid = torch.empty(taps + (2, ) + out_size, dtype=dtype, device=device)
    for axis in range(2):
        tap = torch.arange(taps[axis], device=device) * dilation[axis]
        cell = torch.arange(out_size[axis], device=device) * stride[axis]
        place = (tap - padding[axis] + 1)[:, None] + cell
        shape = [1] * 4
        shape[axis], shape[2 + axis] = taps[axis], out_size[axis]
        grid[:, :, axis] = place.to(dtype).view(shape)
    return grid.view((-1, 2) + out_size)


def as_matrix(weight: Tensor) -> Tensor:
    """A conv's weight as the matrix behind sampled columns.

    Args:
        weight (Tensor): (C', C, K_h, K_w).

    Returns:
        Tensor: (K_h * K_w * C, C').
    """
    return weight.permute(2, 3, 1, 0).reshape(-1, len(weight))


def deform_conv2d(input: Tensor,
                  offset: Tensor,
                  weight: Tensor,
                  stride: Pair = 1,
                  padding: Pair = 0,
                  dilation: Pair = 1,
                  kernel: Optional[Tensor] = None) -> Tensor:
    """Convolve at displaced positions (Dai et al., ICCV 2017).

    The same numbers as ``mmcv.ops.deform_conv2d`` with one group, from
    vectorised torch operations: on a CPU mmcv's op is a single-threaded loop.

    Args:
        input (Tensor): (N, C, H, W).
        offset (Tensor): (N, 2 * K_h * K_w, H', W'), y and x of each tap in
            cells.
        weight (Tensor): (C', C, K_h, K_w).
        stride (int | tuple[int, int]): Defaults to 1.
        padding (int | tuple[int, int]): Zeros around the map. Defaults to 0.
        dilation (int | tuple[int, int]): Defaults to 1.
        kernel (Tensor, optional): The weight as :func:`as_matrix` gives it,
            if it is there already. Defaults to None.

    Returns:
        Tensor: (N, C', H', W'). Differentiable to all three tensors.

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    if input.dim() != 4 or weight.dim() != 4 or \
            input.shape[1] != weight.shape[1]:
        raise ValueError(
            'input (N, C, H, W) and weight (C\', C, K_h, K_w) must have the '
            f'same C, but got {tuple(input.shape)} and {tuple(weight.shape)}')
    (num, channels, height, width), taps = input.shape, weight.shape[2:]
    steps = _pair(stride), _pair(padding), _pair(dilation)
    out_size = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(input.shape[2:], taps, *steps))
    expected = (num, 2 * taps[0] * taps[1]) + out_size
    if tuple(offset.shape) != expected:
        raise ValueError(f'offset must have shape {expected}, but got '
                         f'{tuple(offset.shape)}')

    # y and x of every tap, a position's taps side by side:
    # (2, N, H', W', K_h * K_w).
    dtype = torch.promote_types(offset.dtype, torch.float32)
    grid = _grid(tuple(taps), out_size, *steps, input.device, dtype)
    position = offset.to(dtype).view((num, -1, 2) + out_size) + grid
    position = position.permute(2, 0, 3, 4, 1).contiguous()
    # From one cell outside on, samples are zero: the padding's value.
    y = position[0].clamp(0, height + 1)
    x = position[1].clamp(0, width + 1)
    top = y.detach().floor().clamp(max=height)
    left = x.detach().floor().clamp(max=width)
    dy, dx = y - top, x - left
    both = dy * dx
    shares = torch.stack([1 - dy - dx + both, dx - both, dy - both, both], -1)

    image = torch.arange(num, device=input.device).view(-1, 1, 1, 1, 1)
    corner = torch.arange(2, device=input.device)
    corner = (corner[:, None] * (width + 2) + corner).flatten()
    corner = corner + image * ((height + 2) * (width + 2))
    cells = (top * (width + 2) + left).long().unsqueeze(-1) + corner
    # Several times as fast where a cell's channels lie side by side.
    features = F.pad(input.to(dtype), (1, 1, 1, 1)).permute(0, 2, 3, 1)
    columns = weighted_rows(
        cells.view(-1, 4), shares.view(-1, 4),
        features.contiguous().view(-1, channels))
    if kernel is None:
        kernel = as_matrix(weight.to(dtype))
    columns = columns.view(-1, taps[0] * taps[1] * channels)
    out = columns.to(kernel.dtype) @ kernel
    out = out.view(num, *out_size, len(weight)).permute(0, 3, 1, 2)
    return out.to(input.dtype)


class _OffsetConv(nn.Conv2d):
    """A conv that is zero whoever resets it.

    mmtrack's ``SiamRPN.init_weights`` calls ``reset_parameters`` on every
    conv, also on those that predict offsets and must start at zero.
    """

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


@MODELS.register_module()
class DeformConvPack(HasPaths, DeformConv2dPack):
    """mmcv's deformable conv with its offset conv, fast on a CPU too.

    Any batch, memory layout and type will do, where mmcv's own module asks
    for contiguous maps, for float32 or float16, and for a batch that its
    ``im2col_step`` divides. A GPU that mmcv was not built for is served by
    :func:`deform_conv2d`.

    Args:
        *args: As for ``mmcv.ops.DeformConv2dPack``, with one group and one
            deform group.
        vectorized (bool): Whether :func:`deform_conv2d` serves the CPU; False
            uses mmcv's op there, too. Defaults to True.
        **kwargs: As for ``mmcv.ops.DeformConv2dPack``.
    """

    def __init__(self, *args, vectorized: bool = True, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.groups != 1 or self.deform_groups != 1:
            raise ValueError('DeformConvPack has one group and one deform '
                             f'group, but got groups={self.groups}, '
                             f'deform_groups={self.deform_groups}')
        self.vectorized = vectorized
        offset = self.conv_offset
        self.conv_offset = _OffsetConv(offset.in_channels,
                                       offset.out_channels,
                                       offset.kernel_size, offset.stride,
                                       offset.padding, offset.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Predict offsets, then convolve.

        Args:
            x (Tensor): (N, C, H, W).

        Returns:
            Tensor: (N, C', H', W').
        """
        if (len(x) > 1 and x.device.type == 'cpu' and x[0, 0].numel() <= SMALL
                and not torch.is_grad_enabled()):
            # oneDNN's conv has other last digits for a batch: each image
            # shall be as if it were alone.
            return torch.cat([self._convolve(one) for one in x.split(1)])
        return self._convolve(x)

    def _convolve(self, x: Tensor) -> Tensor:
        offset = self.conv_offset(x)
        if self._is_for_mmcv(x):
            return mmcv_ops.deform_conv2d(x, offset, self.weight, self.stride,
                                          self.padding, self.dilation,
                                          im2col_step=self.im2col_step)
        kernel = None
        if x.device.type == 'cpu' and not torch.is_grad_enabled():
            dtype = autocast_dtype('cpu') or self.weight.dtype
            kernel = derived(self, ('matrix', dtype), (self.weight, ),
                             lambda: as_matrix(self.weight).to(dtype))
        return deform_conv2d(x, offset, self.weight, self.stride,
                             self.padding, self.dilation, kernel)

    def _is_for_mmcv(self, x: Tensor) -> bool:
        if x.device.type == 'cpu':
            return not (self.vectorized and self.paths.fast)
        return mmcv_ops.usable(x)
