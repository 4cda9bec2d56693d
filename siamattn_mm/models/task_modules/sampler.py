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
        hard_fraction (float): Share of the negatives that are not drawn, but
            are those with the highest scores among the anchors that hardly
            overlap the target: what looks like it. Random ones rarely meet
            a look-alike, which has one anchor in a hundred. Defaults to 0.
        **kwargs: As for ``RandomSampler``.

    Raises:
        ValueError: If ``hard_fraction`` is not a share.
    """

    def __init__(self,
                 num: int,
                 pos_fraction: float,
                 hard_fraction: float = 0.,
                 **kwargs) -> None:
        super().__init__(num, pos_fraction, **kwargs)
        if not 0 <= hard_fraction <= 1:
            raise ValueError('hard_fraction must be in [0, 1], but got '
                             f'{hard_fraction}')
        self.hard_fraction = hard_fraction

    def _sample_neg(self, assign_result: AssignResult, num_expected: int,
                    **kwargs) -> Tensor:
        limit = self.num - int(self.num * self.pos_fraction)
        return super()._sample_neg(assign_result, min(num_expected, limit),
                                   **kwargs)
