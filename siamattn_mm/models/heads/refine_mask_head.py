"""Mask head of the region refinement."""
from typing import Optional

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.derived import derived
from ..ops.paths import HasPaths
from .mask_feature_fusion import with_detail


@MODELS.register_module()
class RefineMaskHead(HasPaths, BaseModule):
    """Pool a RoI of the fused mask feature and segment it.

    Paper section 3.4 ("Mask Head"): deformable RoI pooling, four convs, a
    deconv that enlarges by 4, a 1x1 conv.

    Args:
        roi_layer (dict): Config of the RoI pooling layer;
            ``in_channels`` is filled in.
        in_channels (int): Of the fused mask feature. Defaults to 256.
        conv_channels (int): Of the convs. Defaults to 256.
        num_convs (int): Defaults to 4.
        upsample_factor (int): Kernel and stride of the deconv.
            Defaults to 4.
        detail (dict, optional): Config of a ``MaskDetailHead``, whose
            ``in_channels`` are the fusion's ``detail_channels``: corrects the
            outline. Not in the paper. Defaults to None.
        norm_cfg (dict): Defaults to dict(type='BN').
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 roi_layer: dict,
                 in_channels: int = 256,
                 conv_channels: int = 256,
                 num_convs: int = 4,
                 upsample_factor: int = 4,
                 detail: Optional[dict] = None,
                 norm_cfg: dict = dict(type='BN'),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.roi_layer = MODELS.build(
            roi_layer, default_args=dict(in_channels=in_channels))
        height, width = self.roi_layer.output_size
        self.mask_size = (height * upsample_factor, width * upsample_factor)
        self.convs = nn.Sequential(*[
            ConvModule(
                in_channels if i == 0 else conv_channels,
                conv_channels,
                3,
                padding=1,
                norm_cfg=norm_cfg) for i in range(num_convs)
        ])
        self.upsample = nn.ConvTranspose2d(
            conv_channels, conv_channels, upsample_factor, upsample_factor)
        self.relu = nn.ReLU(inplace=True)
        self.conv_logits = nn.Conv2d(conv_channels, 1, 1)
        self.in_channels, self.detail = in_channels, None
        if detail is not None:
            self.detail = MODELS.build(
                detail,
                default_args=dict(
                    type='MaskDetailHead',
                    context_channels=conv_channels,
                    mask_size=self.mask_size[0],
                    norm_cfg=norm_cfg))

    def forward(self, feat: Tensor, rois: Tensor) -> Tensor:
        """Segment.

        Args:
            feat (Tensor): From ``MaskFeatureFusion``, (N, C, 63, 63).
            rois (Tensor): (R, 5), batch index and xyxy in crop pixels.

        Returns:
            Tensor: (R, 1, 64, 64) logits over the RoI.
        """
        if self.detail is not None:
            feat, detail = with_detail(feat, self.in_channels)
        x = self.convs(self.roi_layer(feat, rois))
        if self._has_blocks():
            logits = self._logits_of_blocks(x)
        else:
            logits = self.conv_logits(self.relu(self.upsample(x)))
        if self.detail is None:
            return logits
        return self.detail(detail, rois, x, logits)

    def _has_blocks(self) -> bool:
        return (self.paths.fast and not torch.is_grad_enabled()
                and not torch.jit.is_tracing())

    def _logits_of_blocks(self, x: Tensor) -> Tensor:
        """Deconv and 1x1 conv as matrix products.

        The deconv's stride is its kernel's size, so that each cell becomes a
        block of its own; only the logits are put in their places.
        """
        deconv, last = self.upsample, self.conv_logits
        height, width = deconv.kernel_size
        num, channels = len(x), deconv.out_channels
        matrix, bias = derived(
            self, 'blocks', (deconv.weight, deconv.bias),
            lambda: (deconv.weight.flatten(1).t().contiguous(), deconv.bias[
                :, None].expand(-1, height * width).reshape(1, -1, 1)))
        # (num, channels * block, cells)
        blocks = torch.baddbmm(bias, matrix.expand(num, -1, -1), x.flatten(2))
        blocks = self.relu(blocks).view(num, channels, -1)
        logits = torch.matmul(last.weight.flatten(1), blocks) + last.bias
        logits = logits.view(num, height, width, *x.shape[2:])
        return logits.permute(0, 3, 1, 4, 2).reshape(num, 1, *self.mask_size)
