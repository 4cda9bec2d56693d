"""Fused high-resolution features: the mask branch's feature."""
from typing import Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.paths import HasPaths
from ..ops.pixel_blocks import (
    channels_of_blocks,
    conv_of_blocks,
    pixels_of_blocks,
)

SOURCES = ('search', 'correlation', 'both')
# Cells of the fine map to one of the fused map, along each side.
FINER = 2


def with_detail(feat: Tensor, channels: int) -> Tuple[Tensor, Tensor]:
    """Take apart what :class:`MaskFeatureFusion` gives with details.

    Args:
        feat (Tensor): (N, C + 4 * C', H, W).
        channels (int): C, of the fused map.

    Returns:
        tuple[Tensor, Tensor]: The fused map (N, C, H, W) and the fine one
        (N, C', 2 * H, 2 * W).
    """
    # Channels last, as exported graphs have their maps, and as RoIs are pooled
    # from them: in a graph nothing is turned over for this.
    feat = feat.permute(0, 2, 3, 1)
    fused, detail = (
        part.permute(0, 3, 1, 2)
        for part in (feat[..., :channels], feat[..., channels:]))
    return fused, pixels_of_blocks(detail, FINER)


@MODELS.register_module()
class MaskFeatureFusion(HasPaths, BaseModule):
    """Bring maps to one size and width, and add them (paper section 3.4).

    Args:
        in_channels (Sequence[int]): Channels of each map: those of the
            low-level maps first, then those of ``source``.
        out_channels (int): Of the fused map. Defaults to 256.
        source (str): What joins the backbone's low-level maps:
            ``'correlation'``, the fused correlation feature (paper),
            ``'search'``, the search branch's DSA outputs (released
            checkpoints), or ``'both'``, these outputs and then that feature.
            Defaults to 'correlation'.
        size_index (int): Which map sets the size. 1, stage 1 of the backbone,
            unless there are no low-level maps. Defaults to 1.
        detail_channels (int): Of a fine map that goes along, for
            ``MaskDetailHead``: the first low-level map, which has twice the
            fused one's size, through a 1x1 conv. Not in the paper.
            Defaults to 0, none.
        norm_cfg (dict): Defaults to dict(type='BN').
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If ``source`` is unknown or ``size_index`` out of range.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 out_channels: int = 256,
                 source: str = 'correlation',
                 size_index: int = 1,
                 detail_channels: int = 0,
                 norm_cfg: dict = dict(type='BN'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if source not in SOURCES:
            raise ValueError(
                f'source must be one of {SOURCES}, but got {source!r}')
        if not 0 <= size_index < len(in_channels):
            raise ValueError(f'size_index must be in 0..{len(in_channels) - 1}'
                             f', but got {size_index}')
        self.source = source
        self.size_index = size_index
        self.lateral_convs = nn.ModuleList(
            ConvModule(channels, out_channels, 1, norm_cfg=norm_cfg)
            for channels in in_channels)
        self.detail_channels, self.detail_conv = detail_channels, None
        if detail_channels:
            self.detail_conv = ConvModule(
                in_channels[0], detail_channels, 1, norm_cfg=norm_cfg)

    @property
    def uses_correlation(self) -> bool:
        """Whether the fused correlation feature is one of the maps."""
        return self.source != 'search'

    def forward(self, low_level_feats: Tuple[Tensor, ...],
                search_feats: Tuple[Tensor, ...],
                correlation_feat: Optional[Tensor]) -> Tensor:
        """Fuse.

        Args:
            low_level_feats (tuple[Tensor]): The search crop's stem and stage
                1, (N, 64, 125, 125) and (N, 256, 63, 63) for ResNet-50.
            search_feats (tuple[Tensor]): The search branch's siamese neck
                outputs, each (N, C, 31, 31).
            correlation_feat (Tensor, optional): From
                :class:`CorrelationFusion`, (N, C', 25, 25). Not looked at
                where ``source`` is ``'search'``.

        Returns:
            Tensor: (N, out_channels, 63, 63). With details, four times as
            many channels as they have follow, which :func:`with_detail`
            takes apart.

        Raises:
            ValueError: If the number of maps is not that of ``in_channels``,
                or the first one has not twice the size that details take.
        """
        maps = tuple(low_level_feats)
        if self.source != 'correlation':
            maps += tuple(search_feats)
        if self.uses_correlation:
            maps += (correlation_feat, )
        if len(maps) != len(self.lateral_convs):
            raise ValueError(
                f'MaskFeatureFusion was built for {len(self.lateral_convs)} '
                f'maps, but got {len(low_level_feats)} low-level ones and '
                f'{len(maps) - len(low_level_feats)} of {self.source!r}')
        size = tuple(maps[self.size_index].shape[-2:])
        laterals = (
            self._lateral(conv, x, size)
            for conv, x in zip(self.lateral_convs, maps))
        if torch.is_grad_enabled() or not self.paths.fast:
            total = sum(laterals)
        else:
            # Memory that the CPU has just seen is not asked for again.
            total = next(laterals)
            for lateral in laterals:
                total = total.add_(lateral)
        if self.detail_conv is None:
            return total
        return torch.cat([total, self._detail(maps[0], size)], 1)

    def _detail(self, x: Tensor, size: Tuple[int, int]) -> Tensor:
        """The fine map, each cell's neighbours as channels of one."""
        missing = [FINER * whole - own for whole, own in
                   zip(size, x.shape[-2:])]
        # A stem without padding ends one cell early.
        if min(missing) < 0 or max(missing) > 1:
            raise ValueError(
                f'detail_channels take a first map of {FINER} times the '
                f'size {size} of the fused one, but got {tuple(x.shape[-2:])}')
        if not (any(missing) or torch.is_grad_enabled()) and self.paths.fast:
            return conv_of_blocks(x, self.detail_conv, FINER)
        fine = F.pad(self.detail_conv(x), (0, missing[1], 0, missing[0]))
        return channels_of_blocks(fine, FINER)

    def _lateral(self, conv: ConvModule, x: Tensor,
                 size: Tuple[int, int]) -> Tensor:
        """Resize, convolve; what commutes is done on the smaller map.

        A 1x1 conv commutes with bilinear resizing, whose weights sum to 1. So
        does a norm with fixed statistics; the activation does not.
        """

        def resize(x: Tensor) -> Tensor:
            if tuple(x.shape[-2:]) == size:
                return x
            return F.interpolate(
                x, size=size, mode='bilinear', align_corners=True)

        if x.shape[-1] >= size[-1] or not self.paths.fast:
            return conv(resize(x))
        if self.training:
            return conv.activate(conv.norm(resize(conv.conv(x))))
        return conv.activate(resize(conv(x, activate=False)))
