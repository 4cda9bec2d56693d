"""Deformable siamese attention (paper section 3.2)."""
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from mmcv.cnn import build_conv_layer
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.paths import HasPaths
from .attention import (
    CHANNEL_SOFTMAX,
    SpatialSelfAttention,
    apply_channel_attention,
    channel_attention_map,
    to_map,
    to_tokens,
)

Feats = Tuple[Tensor, ...]


class BranchState(NamedTuple):
    """What depends on one branch alone, at one level.

    Attributes:
        spatial (Tensor, optional): Spatial self-attention's result with its
            residual, (N, H * W, C); None if self-attention is off.
        channel_map (Tensor, optional): (N, C, C), of this branch and for the
            other one; None if both kinds of attention are off.
    """
    spatial: Optional[Tensor]
    channel_map: Optional[Tensor]


class DSALevel(HasPaths, BaseModule):
    """Siamese attention and deformable conv at one level.

    See :class:`DSANeck` for the arguments.
    """

    def __init__(self, channels: int, reduction: int, self_attention: bool,
                 cross_attention: bool, conv_cfg: Optional[dict],
                 channel_softmax: str, share_gamma: bool,
                 sub_sample: bool) -> None:
        super().__init__()
        self.self_attention = self_attention
        self.cross_attention = cross_attention
        self.channel_softmax = channel_softmax
        if self_attention:
            self.spatial = SpatialSelfAttention(channels, reduction,
                                                sub_sample)
        # The learnt scalars of channel attention, all zero at the start.
        kinds = ['self'] * self_attention + ['cross'] * cross_attention
        names = [f'gamma_{kind}_{branch}'
                 for kind in kinds for branch in ('template', 'search')]
        for name in ['gamma'] if share_gamma and names else names:
            self.register_parameter(name, nn.Parameter(torch.zeros(1)))
        self.conv = build_conv_layer(
            conv_cfg, channels, channels, 3, padding=1, bias=False)

    def _gamma(self, cross: bool, search: bool) -> Tensor:
        if hasattr(self, 'gamma'):
            return self.gamma
        kind = 'cross' if cross else 'self'
        branch = 'search' if search else 'template'
        return getattr(self, f'gamma_{kind}_{branch}')

    def branch_state(self, x: Tensor, search: bool) -> BranchState:
        """Compute all that depends on one branch alone.

        Args:
            x (Tensor): (N, C, H, W).
            search (bool): Whether this is the search branch.

        Returns:
            BranchState: See there.
        """
        spatial = self.spatial(x) if self.self_attention else None
        channel_map = None
        if self.self_attention or self.cross_attention:
            channel_map = channel_attention_map(
                to_tokens(x), self.channel_softmax, flush=self.paths.fast)
        return BranchState(spatial, channel_map)

    def fuse(self, x: Tensor, state: BranchState, other: BranchState,
             search: bool) -> Tensor:
        """Add the results of all attentions, then convolve.

        Channel self- and cross-attention are linear in the same features:
        their maps are added first, and applied once.

        Args:
            x (Tensor): This branch, (N, C, H, W).
            state (BranchState): Of this branch.
            other (BranchState): Of the other branch.
            search (bool): Whether this is the search branch.

        Returns:
            Tensor: (N, C, H, W).
        """
        maps = []
        if self.self_attention:
            maps.append(self._gamma(False, search) * state.channel_map)
        if self.cross_attention:
            maps.append(self._gamma(True, search) * other.channel_map)
        if not maps:
            return self.conv(x)
        tokens = to_tokens(x)
        if not self.paths.fast:
            return self._fuse_plainly(x, tokens, maps, state)
        # Each of these attentions has the identity in it.
        identity = torch.eye(
            x.shape[1], dtype=maps[0].dtype, device=x.device)
        mixing = sum(maps) + len(maps) * identity
        if state.spatial is None:
            out = apply_channel_attention(mixing, tokens)
        else:
            out = torch.baddbmm(state.spatial, tokens, mixing.transpose(1, 2))
        return self.conv(to_map(out, x.shape[-2:]))

    def _fuse_plainly(self, x: Tensor, tokens: Tensor, maps: List[Tensor],
                      state: BranchState) -> Tensor:
        """One attention after the other."""
        out = sum(
            apply_channel_attention(one, tokens) + tokens for one in maps)
        if state.spatial is not None:
            out = out + state.spatial
        return self.conv(to_map(out, x.shape[-2:]).contiguous())

    def forward(self, z: Tensor, x: Tensor,
                z_state: BranchState) -> Tuple[Tensor, Tensor]:
        """Run both branches.

        Args:
            z (Tensor): Template, (N, C, H, W).
            x (Tensor): Search, (N, C, H', W').
            z_state (BranchState): Of the template.

        Returns:
            tuple[Tensor, Tensor]: Template and search, shapes kept.
        """
        x_state = self.branch_state(x, search=True)
        return (self.fuse(z, z_state, x_state, search=False),
                self.fuse(x, x_state, z_state, search=True))


@MODELS.register_module()
class DSANeck(BaseModule):
    """Deformable siamese attention on both branches (paper section 3.2).

    At each level the results of spatial and channel self-attention and of
    channel cross-attention are added (each has the identity in it), then a
    3x3 deformable conv follows. One set of weights per level serves both
    branches. Anything can be switched off, one line in a config each.

    Args:
        in_channels (Sequence[int]): Channels of each level; outputs have the
            same.
        reduction (int): Of the queries and keys of spatial self-attention.
            Defaults to 8.
        self_attention (bool): Spatial and channel self-attention.
            Defaults to True.
        cross_attention (bool): Channel cross-attention. Defaults to True.
        conv_cfg (dict, optional): The 3x3 conv: deformable in the paper, None
            for a plain one. Defaults to dict(type='mmtrack.DeformConvPack').
        channel_softmax (str): ``'plain'`` (paper) or ``'inverted'``
            (released checkpoints); see
            :func:`~.attention.channel_attention_map`. Defaults to 'plain'.
        share_gamma (bool): Whether channel self- and cross-attention and both
            branches share one scalar per level (released checkpoints), or
            have one each (paper). Defaults to False.
        sub_sample (bool): Whether keys and values of spatial self-attention
            are pooled by 2. Neither profile does; for small models.
            Defaults to False.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If ``channel_softmax`` is unknown.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 reduction: int = 8,
                 self_attention: bool = True,
                 cross_attention: bool = True,
                 conv_cfg: Optional[dict] = dict(
                     type='mmtrack.DeformConvPack'),
                 channel_softmax: str = 'plain',
                 share_gamma: bool = False,
                 sub_sample: bool = False,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if channel_softmax not in CHANNEL_SOFTMAX:
            raise ValueError(f'channel_softmax must be one of '
                             f'{CHANNEL_SOFTMAX}, but got {channel_softmax!r}')
        self.levels = nn.ModuleList(
            DSALevel(channels, reduction, self_attention, cross_attention,
                     conv_cfg, channel_softmax, share_gamma, sub_sample)
            for channels in in_channels)

    def init_template(self, template_feats: Feats) -> Tuple[BranchState, ...]:
        """Compute once what depends on the template alone.

        Args:
            template_feats (tuple[Tensor]): One (N, C, H, W) per level.

        Returns:
            tuple[BranchState]: One per level, for :meth:`forward`.
        """
        return tuple(
            level.branch_state(z, search=False)
            for level, z in zip(self.levels, template_feats))

    def forward(
        self,
        template_feats: Feats,
        search_feats: Feats,
        template_state: Optional[Tuple[BranchState, ...]] = None
    ) -> Tuple[Feats, Feats]:
        """Let the branches attend to themselves and to each other.

        Args:
            template_feats (tuple[Tensor]): One (N, C, H, W) per level.
            search_feats (tuple[Tensor]): One (N, C, H', W') per level.
            template_state (tuple[BranchState], optional): From
                :meth:`init_template`; computed here if None. Results are the
                same.

        Returns:
            tuple[tuple[Tensor], tuple[Tensor]]: Template and search maps.

        Raises:
            ValueError: If the numbers of levels differ.
        """
        if not len(template_feats) == len(search_feats) == len(self.levels):
            raise ValueError(
                f'DSANeck has {len(self.levels)} levels, but got '
                f'{len(template_feats)} template and {len(search_feats)} '
                'search maps')
        if template_state is None:
            template_state = self.init_template(template_feats)
        pairs = [
            level(z, x, state) for level, z, x, state in zip(
                self.levels, template_feats, search_feats, template_state)
        ]
        return tuple(z for z, _ in pairs), tuple(x for _, x in pairs)
