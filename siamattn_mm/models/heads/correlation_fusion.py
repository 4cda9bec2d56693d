"""Fused depth-wise correlations: the box branch's feature."""
from typing import Optional, Sequence, Tuple

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from .correlation_head import DepthwiseCorrelationHead


@MODELS.register_module()
class CorrelationFusion(BaseModule):
    """Correlate each level, then add the levels (paper section 3.4).

    Args:
        in_channels (Sequence[int]): Channels of each level.
        out_channels (int): Of the fused map. Defaults to 256.
        kernel_size (int): Of the convs before the correlation.
            Defaults to 3.
        norm_cfg (dict): Defaults to dict(type='BN').
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 out_channels: int = 256,
                 kernel_size: int = 3,
                 norm_cfg: dict = dict(type='BN'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.correlations = nn.ModuleList(
            DepthwiseCorrelationHead(channels, channels, out_channels,
                                     kernel_size, norm_cfg)
            for channels in in_channels)
        self.convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, 1, norm_cfg=norm_cfg)
            for _ in in_channels)

    def forward(self, template_feats: Tuple[Tensor, ...],
                search_feats: Tuple[Tensor, ...]) -> Tensor:
        """Correlate and fuse.

        Args:
            template_feats (tuple[Tensor]): One (N, C, 7, 7) per level.
            search_feats (tuple[Tensor]): One (N, C, 31, 31) per level.

        Returns:
            Tensor: (N, out_channels, 25, 25).

        Raises:
            ValueError: If the number of maps is not that of ``in_channels``.
        """
        if not len(template_feats) == len(search_feats) == len(self.convs):
            raise ValueError(
                f'CorrelationFusion was built for {len(self.convs)} levels, '
                f'but got {len(template_feats)} template and '
                f'{len(search_feats)} search maps')
        return sum(
            conv(correlation(z, x))
            for correlation, conv, z, x in zip(self.correlations, self.convs,
                                               template_feats, search_feats))
