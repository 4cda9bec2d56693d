"""Fold norms into the convs before them, for inference."""
from typing import Any, Dict, Optional

import torch
from mmcv.cnn import ConvModule
from mmdet.models.backbones.resnet import Bottleneck
from mmtrack.models.backbones.sot_resnet import SOTBottleneck
from torch import Tensor, nn

from .fused_conv import can_fuse, fused_conv


def _can_run(norm: Optional[nn.Module]) -> bool:
    return not (torch.is_grad_enabled() or norm is not None and norm.training)


class FoldedConvModule(ConvModule):
    """A ``ConvModule`` that runs as one, without gradients."""

    def forward(self,
                x: Tensor,
                activate: bool = True,
                norm: bool = True) -> Tensor:
        """Convolve; arguments and result are mmcv's."""
        own_norm = self.norm if self.with_norm else None
        if not norm or not _can_run(own_norm):
            return super().forward(x, activate, norm)
        act = self.activate if activate and self.with_activation else None
        return fused_conv(x, self.conv, own_norm, act)

    def can_fold(self) -> bool:
        """bool: Whether its parts are of a kind that runs as one."""
        return (not self.with_explicit_padding
                and self.order == ('conv', 'norm', 'act') and can_fuse(
                    self.conv, self.norm if self.with_norm else None))


class FoldedBottleneck(Bottleneck):
    """A ResNet's block whose convs, norms and residual run as one each."""

    def forward(self, x: Tensor) -> Tensor:
        """Run the block; arguments and result are mmdet's."""
        if not _can_run(self.norm1):
            return super().forward(x)
        identity = x
        if self.downsample is not None:
            identity = fused_conv(x, *self.downsample)
        out = fused_conv(x, self.conv1, self.norm1, self.relu)
        out = fused_conv(out, self.conv2, self.norm2, self.relu)
        return fused_conv(out, self.conv3, self.norm3, self.relu, identity)

    def can_fold(self) -> bool:
        """bool: Whether its parts are of a kind that runs as one."""
        pairs = [(getattr(self, f'conv{i}'), getattr(self, f'norm{i}'))
                 for i in (1, 2, 3)]
        if self.downsample is not None:
            if len(self.downsample) != 2:
                return False
            pairs.append(tuple(self.downsample))
        return not self.with_plugins and all(can_fuse(*p) for p in pairs)


class FoldedSOTBottleneck(FoldedBottleneck, SOTBottleneck):
    """The same of mmtrack's, which differs in how it is built."""


FOLDED: Dict[type, Any] = {
    ConvModule: FoldedConvModule,
    Bottleneck: FoldedBottleneck,
    SOTBottleneck: FoldedSOTBottleneck
}
_PLAIN = {folded: plain for plain, folded in FOLDED.items()}


def fold_norms(model: nn.Module, fold: bool = True) -> None:
    """Swap classes that know no folding for those that do, or back.

    Only the class of a module changes: it stays the same object, with its
    parameters, buffers, hooks and names.

    Args:
        model (nn.Module): Changed in place.
        fold (bool): False for the classes that the modules were built as.
            Defaults to True.
    """
    for module in model.modules():
        plain = _PLAIN.get(type(module), type(module))
        if plain in FOLDED:
            folded = FOLDED[plain]
            module.__class__ = (
                folded if fold and folded.can_fold(module) else plain)
