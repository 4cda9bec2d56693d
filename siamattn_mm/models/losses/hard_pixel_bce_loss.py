"""Binary cross-entropy over the hardest pixels."""
import torch.nn.functional as F
from mmtrack.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class HardPixelBCELoss(nn.Module):
    """Binary cross-entropy, averaged over the hardest share of all pixels.

    Args:
        hard_ratio (float): Share of the pixels that counts, in (0, 1].
            Defaults to 0.7.
        loss_weight (float): Defaults to 1.0.

    Raises:
        ValueError: If ``hard_ratio`` is not in (0, 1].
    """

    def __init__(self,
                 hard_ratio: float = 0.7,
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        if not 0 < hard_ratio <= 1:
            raise ValueError(
                f'hard_ratio must be in (0, 1], but got {hard_ratio}')
        self.hard_ratio = hard_ratio
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): Any shape.
            targets (Tensor): Same shape, 0..1.

        Returns:
            Tensor: Scalar; 0 (with a gradient) where there is no pixel.
        """
        if logits.numel() == 0:
            return logits.sum() * 0
        losses = F.binary_cross_entropy_with_logits(
            logits.float(), targets.float(), reduction='none').flatten()
        keep = max(1, int(self.hard_ratio * losses.numel()))
        hardest = losses.topk(keep, sorted=False)[0]
        return self.loss_weight * hardest.mean()

    def extra_repr(self) -> str:
        return f'hard_ratio={self.hard_ratio}, loss_weight={self.loss_weight}'
