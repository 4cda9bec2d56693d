"""Sampler of the Siamese RPN's anchors."""
from mmdet.models.task_modules import AssignResult, RandomSampler
from mmtrack.registry import TASK_UTILS
from torch import Tensor


@TASK_UTILS.register_module()
class SiamAttnSampler(RandomSampler):
    """Draw positives and negatives, each up to a number of their own.

    mmdet's ``RandomSampler`` makes up for missing positives with negatives,
    and returns them sorted; mmtrack's ``SiameseRPNHead`` then keeps the first
    ones, so that the lower rows of the map are hardly ever negative. With
    ``num=64, pos_fraction=0.25`` there are at most 16 positives and 48
    negatives here, from everywhere.

    Args:
        num (int): Of positives and negatives together.
        pos_fraction (float): Share of the positives.
        **kwargs: As for ``RandomSampler``.
    """

    def _sample_neg(self, assign_result: AssignResult, num_expected: int,
                    **kwargs) -> Tensor:
        limit = self.num - int(self.num * self.pos_fraction)
        return super()._sample_neg(assign_result, min(num_expected, limit),
                                   **kwargs)
