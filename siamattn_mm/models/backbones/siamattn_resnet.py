"""ResNet-50 whose stem is an output too."""
from typing import Sequence, Tuple

import torch
from mmtrack.models.backbones import SOTResNet
from mmtrack.registry import MODELS
from torch import Tensor

from ..ops.fused_conv import can_fuse, fused_conv
from ..ops.paths import HasPaths


@MODELS.register_module()
class SiamAttnResNet(HasPaths, SOTResNet):
    """Atrous ResNet-50 of SiamRPN++ that also returns its stem.

    The refinement's mask branch needs the two earliest maps (paper section
    3.4, "Mask Head"), and mmtrack's :class:`SOTResNet` keeps the stem (conv1,
    norm, ReLU, before the pool) to itself.

    Args:
        out_stem (bool): Whether the first output is the stem.
            Defaults to True.
        out_indices (Sequence[int]): Stages to return, 0 is stage 1.
            Defaults to (0, 1, 2, 3).
        strides (Sequence[int]): Of the four stages.
            Defaults to (1, 2, 1, 1).
        dilations (Sequence[int]): Of the four stages.
            Defaults to (1, 1, 2, 4).
        **kwargs: As for mmtrack's ``SOTResNet``. ``depth`` defaults to 50.
    """

    def __init__(self,
                 out_stem: bool = True,
                 depth: int = 50,
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 strides: Sequence[int] = (1, 2, 1, 1),
                 dilations: Sequence[int] = (1, 1, 2, 4),
                 **kwargs) -> None:
        super().__init__(
            depth=depth,
            out_indices=out_indices,
            strides=strides,
            dilations=dilations,
            **kwargs)
        self.out_stem = out_stem

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Extract features.

        Args:
            x (Tensor): Crops of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: The stem (N, 64, 125, 125) for H = W = 255, if
            ``out_stem``, then the maps of ``out_indices``: (N, 256, 63, 63),
            (N, 512, 31, 31), (N, 1024, 31, 31), (N, 2048, 31, 31). For 127
            pixels the sides are 61, 31, 15, 15, 15.
        """
        if self.paths.fast and (x.device.type != 'cpu'
                                or self._can_fuse_stem()):
            # So neither cuDNN nor oneDNN needs another layout in between.
            x = x.contiguous(memory_format=torch.channels_last)
        if self.deep_stem:
            x = self.stem(x)
        elif self._can_fuse_stem():
            x = fused_conv(x, self.conv1, self.norm1, self.relu)
        else:
            x = self.relu(self.norm1(self.conv1(x)))
        outs = [x] if self.out_stem else []
        x = self.maxpool(x)
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)

    def _can_fuse_stem(self) -> bool:
        return (self.paths.folded and not torch.is_grad_enabled()
                and not self.norm1.training
                and can_fuse(self.conv1, self.norm1))
