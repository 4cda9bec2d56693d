"""Box head of the region refinement."""
from typing import Optional, Sequence

import torch
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.layers import run_layers
from .siamese_rpn_head import MAX_LOG


@MODELS.register_module()
class RefineBoxHead(BaseModule):
    """Pool a RoI of the fused correlation feature and regress its deltas.

    Paper section 3.4 ("Box Head"): deformable RoI pooling, two fully
    connected layers, a linear layer.

    Args:
        roi_layer (dict): Config of the RoI pooling layer;
            ``in_channels`` is filled in.
        in_channels (int): Of the fused correlation feature.
            Defaults to 256.
        fc_channels (int): Of the two hidden layers. Defaults to 512.
        target_stds (Sequence[float]): Deltas are divided by these.
            Defaults to (0.1, 0.1, 0.2, 0.2).
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 roi_layer: dict,
                 in_channels: int = 256,
                 fc_channels: int = 512,
                 target_stds: Sequence[float] = (0.1, 0.1, 0.2, 0.2),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.roi_layer = MODELS.build(
            roi_layer, default_args=dict(in_channels=in_channels))
        height, width = self.roi_layer.output_size
        self.shared_fcs = nn.Sequential(
            nn.Linear(in_channels * height * width, fc_channels),
            nn.ReLU(inplace=True), nn.Linear(fc_channels, fc_channels),
            nn.ReLU(inplace=True))
        self.fc_reg = nn.Linear(fc_channels, 4)
        self.register_buffer(
            'target_stds', torch.tensor(target_stds), persistent=False)

    def forward(self, feat: Tensor, rois: Tensor) -> Tensor:
        """Regress normalised deltas.

        Args:
            feat (Tensor): Fused correlation feature, (N, C, 25, 25).
            rois (Tensor): (R, 5), batch index and xyxy in crop pixels.

        Returns:
            Tensor: (R, 4), (dx, dy, dw, dh) relative to the RoI, divided by
            ``target_stds``.
        """
        pooled = self.roi_layer(feat, rois)
        return self.fc_reg(run_layers(self.shared_fcs, pooled.flatten(1)))

    def encode(self, boxes: Tensor, targets: Tensor) -> Tensor:
        """Encode targets relative to boxes.

        Args:
            boxes (Tensor): (R, 4), cxcywh.
            targets (Tensor): (R, 4), cxcywh.

        Returns:
            Tensor: (R, 4), normalised deltas.
        """
        deltas = torch.cat([(targets[:, :2] - boxes[:, :2]) / boxes[:, 2:],
                            (targets[:, 2:] / boxes[:, 2:]).log()],
                           dim=1)
        return deltas / self.target_stds.to(deltas)

    def decode(self, boxes: Tensor, deltas: Tensor) -> Tensor:
        """Apply normalised deltas.

        Args:
            boxes (Tensor): (R, 4), cxcywh.
            deltas (Tensor): (R, 4), normalised.

        Returns:
            Tensor: (R, 4), cxcywh.
        """
        deltas = deltas * self.target_stds.to(deltas)
        return torch.cat([
            deltas[:, :2] * boxes[:, 2:] + boxes[:, :2],
            deltas[:, 2:].clamp(-MAX_LOG, MAX_LOG).exp() * boxes[:, 2:]
        ],
                         dim=1)
