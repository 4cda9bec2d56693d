"""Depth-wise correlation block of SiamRPN++."""
from typing import Any, List, Sequence

import torch
from mmcv.cnn import ConvModule
from mmtrack.models.track_heads.siamese_rpn_head import CorrelationHead
from torch import Tensor, nn

from ..ops import depthwise_corr
from ..ops.derived import derived
from ..ops.folding import FoldedConvModule
from ..ops.fused_conv import JoinedConv, fused_conv


class DepthwiseCorrelationHead(CorrelationHead):
    """mmtrack's ``CorrelationHead``, trained faster on a CPU.

    Same arguments, parameters and numbers.
    """

    def forward(self, kernel: Tensor, search: Tensor) -> Tensor:
        """Correlate.

        Args:
            kernel (Tensor): Template features, (N, C, h, w).
            search (Tensor): Search features, (N, C, H, W).

        Returns:
            Tensor: (N, out_channels, H - h + 1, W - w + 1): both have lost as
            much to the convs before.
        """
        return self.head_convs(
            depthwise_corr(
                self.search_convs(search), self.kernel_convs(kernel)))


def correlate_together(heads: Sequence[DepthwiseCorrelationHead],
                       kernel: Tensor, search: Tensor) -> List[Tensor]:
    """Run several heads that see the same features, without gradients.

    Their convs become one, and their correlations.

    Args:
        heads (Sequence[DepthwiseCorrelationHead]): As
            :func:`can_correlate_together` wants them.
        kernel (Tensor): Template features, (N, C, h, w).
        search (Tensor): Search features, (N, C, H, W).

    Returns:
        list[Tensor]: What each head would give.
    """
    branches = []
    for name, x in (('search_convs', search), ('kernel_convs', kernel)):
        modules = [getattr(head, name) for head in heads]
        branches.append(
            fused_conv(x, _joined(heads[0], name, modules), None,
                       modules[0].activate))
    corr = depthwise_corr(*branches)
    sizes = [head.search_convs.out_channels for head in heads]
    return [
        head.head_convs(part) for head, part in zip(heads, corr.split(
            sizes, dim=1))
    ]


def can_correlate_together(heads: Sequence[Any]) -> bool:
    """Whether heads can run as one in the mode that they are in.

    Args:
        heads (Sequence[nn.Module]): Correlation heads of one level.

    Returns:
        bool: False while gradients or a batch's statistics are wanted, while
        someone looks at a head through a hook, or where the convs before the
        correlation are not of a kind.
    """
    if torch.is_grad_enabled() or any(
            head._forward_hooks or head._forward_pre_hooks for head in heads):
        return False
    for name in ('search_convs', 'kernel_convs'):
        modules = [getattr(head, name) for head in heads]
        if not all(_is_simple(module) for module in modules):
            return False
        kinds = {(m.conv.kernel_size, m.conv.padding, m.conv.stride,
                  m.conv.dilation, type(m.activate)) for m in modules}
        if len(kinds) > 1:
            return False
    return True


def _is_simple(module: ConvModule) -> bool:
    return (isinstance(module, FoldedConvModule) and module.with_activation
            and module.conv.groups == 1
            and not (module.with_norm and module.norm.training))


def _joined(owner: nn.Module, name: str,
            modules: Sequence[ConvModule]) -> JoinedConv:
    """One conv with the outputs of several, norms folded."""
    sources = [
        tensor for module in modules
        for tensor in (*module.parameters(), *module.buffers())
    ]
    return derived(
        owner, name, sources, lambda: JoinedConv([
            (m.conv, m.norm if m.with_norm else None) for m in modules
        ]))
