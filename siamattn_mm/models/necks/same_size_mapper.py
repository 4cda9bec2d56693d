"""Channel mapper whose outputs all have one size."""
from typing import Tuple

import torch.nn.functional as F
from mmdet.models.necks import ChannelMapper
from mmtrack.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class SameSizeChannelMapper(ChannelMapper):
    """mmdet's ``ChannelMapper``, then every map gets the first one's size.

    For backbones that keep their own strides, where SiamRPN++ dilates: the
    deep stages then cost a quarter, and every level still correlates at the
    first one's stride. Arguments are those of ``ChannelMapper``.
    """

    def forward(self, inputs: Tuple[Tensor, ...]) -> Tuple[Tensor, ...]:
        """Map, and enlarge.

        Args:
            inputs (tuple[Tensor]): (N, C_i, H_i, W_i) per level.

        Returns:
            tuple[Tensor]: (N, C, H_0, W_0) per level; bilinear where the size
            differs.
        """
        outs = super().forward(inputs)
        size = outs[0].shape[-2:]
        return tuple(
            out if out.shape[-2:] == size else F.interpolate(
                out, size=size, mode='bilinear', align_corners=False)
            for out in outs)
