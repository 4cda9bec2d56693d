"""Generalized IoU loss that does not wait for a device."""
from typing import Optional, Union

from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.box_overlaps import box_giou


@MODELS.register_module()
class BoxGIoULoss(nn.Module):
    """``mmdet.GIoULoss``, the same numbers, without its synchronisations.

    mmdet's asks whether any weight is above 0, and makes a tensor on the host
    at each call: a GPU is waited for twice in the middle of each step.
    Source: https://arxiv.org/abs/1902.09630.

    Args:
        reduction (str): ``'sum'`` or ``'mean'``. Defaults to 'mean'.
        loss_weight (float): Defaults to 1.0.

    Raises:
        ValueError: If ``reduction`` is another word.
    """

    def __init__(self,
                 reduction: str = 'mean',
                 loss_weight: float = 1.0) -> None:
        super().__init__()
        if reduction not in ('sum', 'mean'):
            raise ValueError("reduction must be 'sum' or 'mean', but got "
                             f'{reduction!r}')
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(self,
                pred: Tensor,
                target: Tensor,
                weight: Optional[Tensor] = None,
                avg_factor: Union[None, float, Tensor] = None) -> Tensor:
        """Compute the loss.

        Args:
            pred (Tensor): (..., 4), xyxy.
            target (Tensor): (..., 4), xyxy.
            weight (Tensor, optional): (...), of each box. Defaults to None.
            avg_factor (float | Tensor, optional): What a mean divides the
                sum by. Defaults to None: the number of boxes.

        Returns:
            Tensor: Scalar.
        """
        loss = 1 - box_giou(pred, target)
        if weight is not None:
            loss = loss * weight
        total = self.loss_weight * loss.sum()
        if self.reduction == 'sum':
            return total
        return total / (max(loss.numel(), 1)
                        if avg_factor is None else avg_factor)

    def extra_repr(self) -> str:
        return f'reduction={self.reduction}, loss_weight={self.loss_weight}'
