"""Binary cross-entropy over the hardest pixels."""
import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce, get_world_size
from mmtrack.registry import MODELS
from torch import Tensor, nn

from .kth_largest import kth_largest


@MODELS.register_module()
class HardPixelBCELoss(nn.Module):
    """Binary cross-entropy, averaged over the hardest share of all pixels.

    These are the pixels of all processes: the mean of their losses, as
    distributed training takes it of their gradients, is the loss of one
    process that has all pixels. So every process has to take part in every
    step, even without a pixel of its own.

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
        losses = F.binary_cross_entropy_with_logits(
            logits.float(), targets.float(), reduction='none')
        keep = self._number_to_keep(losses)
        weights = _weights_of_hardest(losses.detach(), keep)
        scale = self.loss_weight * get_world_size() / keep
        return scale * (losses * weights).sum()

    def _number_to_keep(self, losses: Tensor) -> Tensor:
        """Of the pixels of all processes, 1 or more; nobody waits for it."""
        total = torch.full((), losses.numel(), device=losses.device)
        all_reduce(total)
        return (self.hard_ratio * total.double()).long().clamp(min=1)

    def extra_repr(self) -> str:
        return f'hard_ratio={self.hard_ratio}, loss_weight={self.loss_weight}'


def _weights_of_hardest(losses: Tensor, keep: Tensor) -> Tensor:
    """1 for the ``keep`` largest of all processes, 0 for the others.

    Those that are as large as the smallest to be kept share what is left:
    which of them are kept would be chance.
    """
    limit = kth_largest(losses, keep)
    # Not `losses > limit`: NaN must show in the loss.
    above, tied = ~(losses <= limit), losses == limit
    counts = torch.stack([above.sum(), tied.sum()])
    all_reduce(counts)
    share = (keep - counts[0]) / counts[1].clamp(min=1)
    return above.to(losses) + share * tied.to(losses)
