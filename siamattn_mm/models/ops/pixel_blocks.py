"""Blocks of pixels as channels of one cell, and back.

As ``F.pixel_unshuffle`` and ``F.pixel_shuffle``, but for the channels' order,
in which a pixel's own channels stay side by side (where maps have their
channels last, that moves memory in long pieces), and but for tensors without
elements, which those leave as they are.
"""
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from .derived import derived
from .fused_conv import can_fuse, folded, weight_sources


def channels_of_blocks(x: Tensor, side: int) -> Tensor:
    """Make the pixels of each block channels.

    Args:
        x (Tensor): (N, C, H * side, W * side).
        side (int): Of the blocks, in pixels.

    Returns:
        Tensor: (N, side² * C, H, W): the channels of the block's first pixel,
        then those of the pixel to its right, and so on.
    """
    num, channels, height, width = x.shape
    height, width = height // side, width // side
    x = x.reshape(num, channels, height, side, width, side)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(num, side**2 * channels,
                                               height, width)


def pixels_of_blocks(x: Tensor, side: int) -> Tensor:
    """Undo :func:`channels_of_blocks`.

    Args:
        x (Tensor): (N, side² * C, H, W).
        side (int): Of the blocks, in pixels.

    Returns:
        Tensor: (N, C, H * side, W * side).
    """
    num, channels, height, width = x.shape
    channels //= side**2
    # A row of a block is one piece of memory where channels are last.
    x = x.permute(0, 2, 3, 1).reshape(num, height, width, side,
                                      side * channels)
    x = x.permute(0, 1, 3, 2, 4).reshape(num, height * side, width * side,
                                         channels)
    return x.permute(0, 3, 1, 2)


def conv_of_blocks(x: Tensor, conv: ConvModule, side: int) -> Tensor:
    """``channels_of_blocks(conv(x), side)`` of a 1x1 conv, in evaluation.

    One conv with a stride, whose kernel has each pixel's weights in the
    pixel's place: nothing is moved afterwards. Without gradients.

    Args:
        x (Tensor): (N, C, H * side, W * side).
        conv (ConvModule): A 1x1 conv to C' channels, maybe with a norm (a
            batch norm, or it takes both steps) and an activation.
        side (int): Of the blocks, in pixels.

    Returns:
        Tensor: (N, side² * C', H, W).
    """
    norm = conv.norm if conv.with_norm else None
    if isinstance(norm, nn.Identity):
        norm = None  # folded into the conv for good
    if not can_fuse(conv.conv, norm):
        return channels_of_blocks(conv(x), side)
    weight, bias = derived(conv, ('blocks', side),
                           weight_sources(conv.conv, norm),
                           lambda: _of_blocks(*folded(conv.conv, norm), side))
    out = F.conv2d(x, weight, bias, stride=side)
    return conv.activate(out) if conv.with_activation else out


def _of_blocks(weight: Tensor, bias: Tensor, side: int) -> tuple:
    channels, taken = weight.shape[:2]
    blocks = weight.new_zeros(side, side, channels, taken, side, side)
    for row in range(side):
        for column in range(side):
            blocks[row, column, ..., row, column] = weight[..., 0, 0]
    if bias is not None:
        bias = bias.repeat(side**2)
    return blocks.flatten(0, 2), bias
