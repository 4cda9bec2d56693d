"""Deformable convolution as ONNX operators."""
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from siamattn_mm.models.ops import DeformConvPack, deform_conv2d


class _DeformConvOperator(torch.autograd.Function):
    """``deform_conv2d`` that is exported as ONNX's ``DeformConv``."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, offset: Tensor, weight: Tensor,
                stride: int, padding: int, dilation: int) -> Tensor:
        if torch.jit.is_tracing():
            # What is traced in here is thrown away, but slows the exporter
            # down; only the shape counts.
            return torch.zeros_like(
                F.conv2d(input, weight, None, stride, padding, dilation))
        return deform_conv2d(input, offset, weight, stride, padding, dilation)

    @staticmethod
    def symbolic(g: Any, input: Any, offset: Any, weight: Any, stride: int,
                 padding: int, dilation: int) -> Any:
        out = g.op(
            'DeformConv',
            input,
            weight,
            offset,
            dilations_i=[dilation] * 2,
            kernel_shape_i=weight.type().sizes()[2:],
            pads_i=[padding] * 4,
            strides_i=[stride] * 2)
        sizes = input.type().sizes()[:1] + weight.type().sizes()[:1]
        return out.setType(input.type().with_sizes(
            sizes + offset.type().sizes()[2:]))


def forward_as_operator(self: DeformConvPack, x: Tensor) -> Tensor:
    """``DeformConvPack.forward`` with ONNX's own operator (opset 19).

    Args:
        self (DeformConvPack): With the same stride, padding and dilation on
            both axes.
        x (Tensor): (1, C, H, W).

    Returns:
        Tensor: (1, C', H', W').
    """
    return _DeformConvOperator.apply(x, self.conv_offset(x), self.weight,
                                     self.stride[0], self.padding[0],
                                     self.dilation[0])


def forward_as_grid_sample(self: DeformConvPack, x: Tensor) -> Tensor:
    """``DeformConvPack.forward`` with ``GridSample`` and a product.

    For runtimes without ``DeformConv``.

    Args:
        self (DeformConvPack): Any.
        x (Tensor): (1, C, H, W), H, W > 1.

    Returns:
        Tensor: (1, C', H', W').
    """
    channels, height, width = (int(size) for size in x.shape[1:])
    offset = self.conv_offset(x)
    out_size = tuple(int(size) for size in offset.shape[2:])
    rows, columns = (
        torch.arange(taps)[:, None] * d - p + torch.arange(out) * s
        for taps, d, p, s, out in zip(self.kernel_size, self.dilation,
                                      self.padding, self.stride, out_size))
    # Of each tap, (K_h, K_w, H', W'), in cells.
    offset = offset.view(self.kernel_size + (2, ) + out_size)
    row = offset[:, :, 0] + rows[:, None, :, None]
    column = offset[:, :, 1] + columns[None, :, None, :]
    # With aligned corners the first cell's centre is at -1, the last's at 1.
    grid = torch.stack([2 / (width - 1) * column, 2 / (height - 1) * row],
                       dim=-1) - 1
    # (C, K_h * K_w, H' * W')
    samples = F.grid_sample(
        x,
        grid.view(1, -1, out_size[1], 2),
        mode='bilinear',
        padding_mode='zeros',
        align_corners=True).view(channels, -1, out_size[0] * out_size[1])
    out = self.weight.flatten(1) @ samples.flatten(0, 1)
    return out.view(1, -1, *out_size)
