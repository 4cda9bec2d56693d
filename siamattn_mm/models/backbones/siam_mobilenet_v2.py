"""MobileNetV2 that keeps stride 8, for trackers that run on a CPU."""
from typing import Optional, Sequence, Tuple

import torch
from mmdet.models.backbones import MobileNetV2
from mmtrack.registry import MODELS
from torch import Tensor

from ..ops.dilated_depthwise_conv import DilatedDepthwiseConv2d
from ..ops.paths import HasPaths


@MODELS.register_module()
class SiamMobileNetV2(HasPaths, MobileNetV2):
    """mmdet's MobileNetV2 with dilated stages, and its stem as an output.

    ImageNet weights fit unchanged: a stage whose stride is taken away gets
    the dilation that keeps each kernel on the input pixels it was trained on,
    as the atrous ResNet-50 of SiamRPN++ does. Stages behind the last output
    are not built.

    Args:
        out_indices (Sequence[int]): Stages to return, 0 is ``layer1`` (16
            channels), 4 is ``layer5`` (96 channels).
            Defaults to (1, 2, 3, 4).
        max_stride (int): Stages that would go beyond this stride are dilated
            instead. Defaults to 8.
        out_stem (bool): Whether the first output is the stem (``conv1``).
            Defaults to True.
        dilate (bool): Whether stages that lose their stride are dilated.
            False keeps 3x3 kernels dense, which is faster on a CPU and needs
            those stages to be trained again. Defaults to True.
        **kwargs: As for mmdet's ``MobileNetV2``.

    Raises:
        ValueError: If ``max_stride`` is not 2, 4, 8, 16 or 32, or more stages
            are to be frozen than are built.
    """

    def __init__(self,
                 out_indices: Sequence[int] = (1, 2, 3, 4),
                 max_stride: int = 8,
                 out_stem: bool = True,
                 dilate: bool = True,
                 init_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        if max_stride not in (2, 4, 8, 16, 32):
            raise ValueError('max_stride must be 2, 4, 8, 16 or 32, '
                             f'but got {max_stride}')
        super().__init__(out_indices=out_indices, init_cfg=init_cfg, **kwargs)
        num_stages = max(out_indices) + 1
        if self.frozen_stages > num_stages:
            raise ValueError(
                f'frozen_stages is {self.frozen_stages}, but out_indices='
                f'{tuple(out_indices)} needs {num_stages} stages only')
        self.out_stem = out_stem
        self._drop_layers_behind(max(out_indices))
        self._limit_stride(max_stride, dilate)
        # mmdet freezes in train() alone: after the optimizer has been built,
        # and after DistributedDataParallel has counted what it waits for.
        self._freeze_stages()

    def _drop_layers_behind(self, last: int) -> None:
        self._dropped = tuple(self.layers[last + 1:])
        for name in self._dropped:
            delattr(self, name)
        self.layers = self.layers[:last + 1]

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args,
                              **kwargs) -> None:
        """Leave out stages that are not built: ImageNet files have all."""
        unused = tuple(f'{prefix}{name}.' for name in self._dropped)
        super()._load_from_state_dict(
            {k: v
             for k, v in state_dict.items() if not k.startswith(unused)},
            prefix, *args, **kwargs)

    def _limit_stride(self, max_stride: int, dilate: bool) -> None:
        stride, dilation = 2, 1  # behind the stem
        # Not the last layer, conv2: a 1x1 conv, not a stage.
        for name, setting in zip(self.layers, self.arch_settings):
            first_dilation = dilation
            stage_stride = setting[3]
            if stride * stage_stride > max_stride:
                dilation *= stage_stride if dilate else 1
                stage_stride = 1
            stride *= stage_stride
            for j, block in enumerate(getattr(self, name)):
                conv = block.depthwise_conv.conv
                d = first_dilation if j == 0 else dilation
                conv.stride = (stage_stride, ) * 2 if j == 0 else (1, 1)
                conv.dilation = conv.padding = (d, d)
                if d > 1:
                    block.depthwise_conv.conv = DilatedDepthwiseConv2d.of(conv)

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Extract features.

        Args:
            x (Tensor): Crops of shape (N, 3, H, W).

        Returns:
            tuple[Tensor]: The stem (N, 32, 128, 128) for H = W = 255, if
            ``out_stem``, then the maps of ``out_indices``; by default (N, 24,
            64, 64), (N, 32, 32, 32), (N, 64, 32, 32), (N, 96, 32, 32). For
            127 pixels the sides are 64, 32, 16, 16, 16.
        """
        if self.paths.fast:
            # Depth-wise convs on a CPU are about twice as fast so, and so are
            # half precision's on a GPU.
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.conv1(x)
        outs = [x] if self.out_stem else []
        for i, name in enumerate(self.layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
