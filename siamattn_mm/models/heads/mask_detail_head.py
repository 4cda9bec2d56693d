"""Correction of a mask's outline by what finer maps show."""
from typing import Optional

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.pixel_blocks import channels_of_blocks, pixels_of_blocks


@MODELS.register_module()
class MaskDetailHead(BaseModule):
    """Say by how much a mask's logits are to change, from finer features.

    Not in the paper, whose masks know the target in cells of a sixteenth of
    its box. Here a fine map (the backbone's stem) is pooled twice as densely,
    joined by what the mask head knows and says, and a few convs correct what
    it says. The last one starts at zero, so that training starts from the
    paper's mask.

    Args:
        roi_layer (dict): Config of a RoI pooling layer, whose
            ``spatial_scale`` is cells of the fine map per crop pixel, and
            which gives a bin to every ``factor``² pixels of the mask;
            ``in_channels`` is filled in.
        in_channels (int): Of the fine map. Defaults to 16.
        context_channels (int): Of the mask head's convs. Defaults to 256.
        mask_size (int): Side of the mask. Defaults to 64.
        channels (int): Of the convs here. Defaults to 24.
        num_convs (int): Defaults to 2.
        norm_cfg (dict): Defaults to dict(type='BN').
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the bins are not a square whose side divides the
            mask's.
    """

    def __init__(self,
                 roi_layer: dict,
                 in_channels: int = 16,
                 context_channels: int = 256,
                 mask_size: int = 64,
                 channels: int = 24,
                 num_convs: int = 2,
                 norm_cfg: dict = dict(type='BN'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.roi_layer = MODELS.build(
            roi_layer, default_args=dict(in_channels=in_channels))
        height, width = self.roi_layer.output_size
        if height != width or mask_size % height:
            raise ValueError(
                f'the detail\'s roi_layer has {height}x{width} bins: it takes '
                f'a square whose side divides the mask\'s, {mask_size}')
        self.factor = mask_size // height
        self.context = ConvModule(
            context_channels, channels, 1, norm_cfg=norm_cfg)
        first = channels + in_channels + self.factor**2
        self.convs = nn.Sequential(*[
            ConvModule(
                channels if i else first,
                channels,
                3,
                padding=1,
                norm_cfg=norm_cfg) for i in range(num_convs)
        ])
        self.conv_logits = nn.Conv2d(channels, self.factor**2, 1)
        self._zero_logits()

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says; the correction starts at zero."""
        super().init_weights()
        if not (self.init_cfg and self.init_cfg.get('type') == 'Pretrained'):
            self._zero_logits()

    def _zero_logits(self) -> None:
        nn.init.zeros_(self.conv_logits.weight)
        nn.init.zeros_(self.conv_logits.bias)

    def forward(self, detail: Tensor, rois: Tensor, context: Tensor,
                logits: Tensor) -> Tensor:
        """Correct.

        Args:
            detail (Tensor): Fine maps, (N, C, H, W); cell i lies at crop
                pixel i / ``spatial_scale``.
            rois (Tensor): (R, 5), batch index and xyxy in crop pixels.
            context (Tensor): Of the mask head's convs, (R, C', 16, 16).
            logits (Tensor): What the mask head says, (R, 1, 64, 64).

        Returns:
            Tensor: (R, 1, 64, 64), likewise.
        """
        # The pooling has crop pixel 0 half a cell outside of the map.
        edges = rois[:, 1:] + 0.5 / self.roi_layer.spatial_scale
        pooled = self.roi_layer(detail, torch.cat([rois[:, :1], edges], 1))
        context = F.interpolate(
            self.context(context), size=pooled.shape[2:], mode='bilinear')
        said = channels_of_blocks(logits, self.factor)
        x = torch.cat([context, pooled.to(context), said], 1)
        change = self.conv_logits(self.convs(x))
        return logits + pixels_of_blocks(change, self.factor)
