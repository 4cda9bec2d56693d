"""The attention blocks of the DSA neck (paper section 3.2)."""
import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

CHANNEL_SOFTMAX = ('plain', 'inverted')


def spatial_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend from every position to every position (paper eq. 1).

    Args:
        query (Tensor): (N, C', H, W).
        key (Tensor): (N, C', H, W).
        value (Tensor): (N, C, H, W).

    Returns:
        Tensor: (N, C, H, W); position i holds the sum over j of
        ``softmax_j(q_i . k_j) v_j``.
    """
    query, key = query.flatten(2), key.flatten(2)
    attention = torch.bmm(query.transpose(1, 2), key).softmax(dim=-1)
    out = torch.bmm(value.flatten(2), attention.transpose(1, 2))
    return out.view_as(value)


def channel_attention_map(x: Tensor, softmax: str = 'plain') -> Tensor:
    """Affinity between channels (paper eq. 2), without any parameter.

    Args:
        x (Tensor): (N, C, H, W).
        softmax (str): With E = X X^T, ``'plain'`` is the paper's softmax over
            the rows of E, ``'inverted'`` softmax over the rows of
            ``rowmax(E) - E``, which the released checkpoints were trained
            with. Defaults to 'plain'.

    Returns:
        Tensor: (N, C, C); each row sums to 1. Computed in float32 or better.
    """
    # Sums over hundreds of positions: half precision overflows or rounds to
    # whole units, which the softmax turns into other weights.
    with torch.autocast(x.device.type, enabled=False):
        flat = x.flatten(2).to(torch.promote_types(x.dtype, torch.float32))
        energy = torch.bmm(flat, flat.transpose(1, 2))
        if softmax == 'inverted':
            energy = energy.max(dim=-1, keepdim=True)[0] - energy
        return energy.softmax(dim=-1).to(x.dtype)


def apply_channel_attention(attention: Tensor, x: Tensor) -> Tensor:
    """Mix channels.

    Args:
        attention (Tensor): (N, C, C) from :func:`channel_attention_map`.
        x (Tensor): (N, C, H, W).

    Returns:
        Tensor: (N, C, H, W), ``A X``.
    """
    return torch.bmm(attention, x.flatten(2)).view_as(x)


class SpatialSelfAttention(BaseModule):
    """Spatial self-attention with its residual: ``alpha * out + X``.

    Args:
        channels (int): C.
        reduction (int): Queries and keys have ``channels // reduction``
            channels. Defaults to 8.

    Raises:
        ValueError: If ``reduction`` leaves queries and keys no channel.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(f'reduction must be in 1..{channels}, the number '
                             f'of channels, but got {reduction}')
        self.query_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.key_conv = nn.Conv2d(channels, channels // reduction, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Apply to one branch.

        Args:
            x (Tensor): (N, C, H, W).

        Returns:
            Tensor: (N, C, H, W).
        """
        out = spatial_attention(
            self.query_conv(x), self.key_conv(x), self.value_conv(x))
        return self.alpha * out + x
