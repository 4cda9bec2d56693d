"""Depth-wise correlation block of SiamRPN++."""
from mmtrack.models.track_heads.siamese_rpn_head import CorrelationHead
from torch import Tensor

from ..ops import depthwise_corr


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
