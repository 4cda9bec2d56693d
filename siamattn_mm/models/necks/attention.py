"""The attention blocks of the DSA neck (paper section 3.2)."""
from typing import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..ops.full_precision import full_precision
from ..ops.paths import HasPaths

CHANNEL_SOFTMAX = ('plain', 'inverted')
# Attention below this is none. Subnormal numbers, of which a peaked softmax is
# full, make a CPU's matrix product fifty times slower.
NEGLIGIBLE = 1e-20
# Energies this far below their row's largest: exp() of it is 1e-26.
LOWEST = -60.


def to_tokens(x: Tensor) -> Tensor:
    """Positions as rows: a view of a map in channels-last memory.

    Args:
        x (Tensor): (N, C, H, W).

    Returns:
        Tensor: (N, H * W, C).
    """
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def to_map(tokens: Tensor, size: Sequence[int]) -> Tensor:
    """Undo :func:`to_tokens`.

    Args:
        tokens (Tensor): (N, H * W, C).
        size (Sequence[int]): H, W.

    Returns:
        Tensor: (N, C, H, W), a view.
    """
    return tokens.unflatten(1, tuple(size)).permute(0, 3, 1, 2)


def spatial_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend from every position to every position (paper eq. 1).

    Args:
        query (Tensor): (N, L, C').
        key (Tensor): (N, M, C').
        value (Tensor): (N, M, C).

    Returns:
        Tensor: (N, L, C); row i holds the sum over j of
        ``softmax_j(q_i . k_j) v_j``.
    """
    attention = torch.bmm(query, key.transpose(1, 2)).softmax(dim=-1)
    return torch.bmm(attention, value)


def spatial_attention_map(query: Tensor, key: Tensor) -> Tensor:
    """Attention of each position to all, without gradients.

    Args:
        query (Tensor): (N, L, C').
        key (Tensor): (N, M, C').

    Returns:
        Tensor: (N, L, M); each row sums to 1. What would be less than e^-60
        of a row's largest is that.
    """
    energy = torch.bmm(query, key.transpose(1, 2))
    # Before the softmax, which is slow with subnormal numbers, too.
    energy = energy.sub_(energy.amax(-1, keepdim=True)).clamp_(min=LOWEST)
    return energy.softmax(dim=-1)


def channel_attention_map(x: Tensor,
                          softmax: str = 'plain',
                          flush: bool = True) -> Tensor:
    """Affinity between channels (paper eq. 2), without any parameter.

    Args:
        x (Tensor): (N, L, C), a row per position.
        softmax (str): With E = X X^T, ``'plain'`` is the paper's softmax over
            the rows of E, ``'inverted'`` softmax over the rows of
            ``rowmax(E) - E``, which the released checkpoints were trained
            with. Defaults to 'plain'.
        flush (bool): Whether attention below ``NEGLIGIBLE`` becomes 0.
            Defaults to True.

    Returns:
        Tensor: (N, C, C); each row sums to 1. Computed in float32 or better.
    """
    # Sums over hundreds of positions: half precision overflows or rounds to
    # whole units, which the softmax turns into other weights.
    with full_precision(x.device):
        x32 = x.to(torch.promote_types(x.dtype, torch.float32))
        energy = torch.bmm(x32.transpose(1, 2), x32)
        if softmax == 'inverted':
            energy = energy.max(dim=-1, keepdim=True)[0] - energy
        attention = energy.softmax(dim=-1)
        if flush:
            attention = F.threshold(attention, NEGLIGIBLE, 0.)
        return attention.to(x.dtype)


def apply_channel_attention(attention: Tensor, x: Tensor) -> Tensor:
    """Mix channels.

    Args:
        attention (Tensor): (N, C, C) from :func:`channel_attention_map`.
        x (Tensor): (N, L, C), a row per position.

    Returns:
        Tensor: (N, L, C), ``A X`` of the paper, which has positions as
        columns.
    """
    return torch.bmm(x, attention.transpose(1, 2))


class SpatialSelfAttention(HasPaths, BaseModule):
    """Spatial self-attention with its residual: ``alpha * out + X``.

    Args:
        channels (int): C.
        reduction (int): Queries and keys have ``channels // reduction``
            channels. Defaults to 8.
        sub_sample (bool): Whether keys and values are max-pooled by 2, as in
            non-local networks (Wang et al., 2018, section 3.3): a quarter of
            the arithmetic. Defaults to False.

    Raises:
        ValueError: If ``reduction`` leaves queries and keys no channel.
    """

    def __init__(self,
                 channels: int,
                 reduction: int = 8,
                 sub_sample: bool = False) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(f'reduction must be in 1..{channels}, the number '
                             f'of channels, but got {reduction}')
        self.query_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.key_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.alpha = nn.Parameter(torch.zeros(1))
        self.sub_sample = sub_sample

    def forward(self, x: Tensor) -> Tensor:
        """Apply to one branch.

        Args:
            x (Tensor): (N, C, H, W).

        Returns:
            Tensor: (N, H * W, C), a row per position.
        """
        if not self.paths.fast:
            return self._plain(x)
        tokens = to_tokens(x)
        source = to_tokens(F.max_pool2d(x, 2)) if self.sub_sample else tokens
        query = _conv_1x1(self.query_conv, tokens)
        key = _conv_1x1(self.key_conv, source)
        if torch.is_grad_enabled():
            out = spatial_attention(query, key,
                                    _conv_1x1(self.value_conv, source))
            return torch.addcmul(tokens, self.alpha, out)
        # The scalar on what is smallest, the sum inside of the product.
        conv = self.value_conv
        value = F.linear(source, self.alpha * conv.weight.flatten(1),
                         self.alpha * conv.bias)
        return torch.baddbmm(tokens, spatial_attention_map(query, key), value)

    def _plain(self, x: Tensor) -> Tensor:
        source = F.max_pool2d(x, 2) if self.sub_sample else x
        out = spatial_attention(
            to_tokens(self.query_conv(x)), to_tokens(self.key_conv(source)),
            to_tokens(self.value_conv(source)))
        return self.alpha * out + to_tokens(x)


def _conv_1x1(conv: nn.Conv2d, tokens: Tensor) -> Tensor:
    """A 1x1 conv is a linear layer on tokens, and faster as one."""
    return F.linear(tokens, conv.weight.flatten(1), conv.bias)
