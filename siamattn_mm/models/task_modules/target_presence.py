"""Whether the target is seen, missing or lost."""
from typing import Any, NamedTuple, Optional

import numpy as np
from mmtrack.registry import TASK_UTILS

from .online import OnlinePart, Outcome


class Presence(NamedTuple):
    """What is kept between frames.

    Attributes:
        missing (int): For how many frames the target was not found.
    """
    missing: int = 0


@TASK_UTILS.register_module()
class TargetPresence(OnlinePart):
    """Decide by its score whether what was found is the target.

    A target is seen, missing, or lost: after ``lost_after`` frames without it.
    What scores less than ``hold_score`` is not followed; a lost target is
    found again by ``recover_score``. Not in the paper.

    Args:
        hold_score (float): Defaults to 0.3.
        recover_score (float, optional): None is ``hold_score``.
            Defaults to None.
        lost_after (int): A frame or two are a hidden target, no more.
            Defaults to 3.

    Raises:
        ValueError: If a score is not in 0..1.
    """

    def __init__(self,
                 hold_score: float = 0.3,
                 recover_score: Optional[float] = None,
                 lost_after: int = 3) -> None:
        if recover_score is None:
            recover_score = hold_score
        for name, value in (('hold_score', hold_score),
                            ('recover_score', recover_score)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in 0..1, but got {value}')
        self.hold_score = hold_score
        self.recover_score = recover_score
        self.lost_after = lost_after

    def learn(self, target: np.ndarray, views: Any) -> Presence:
        """See :class:`OnlinePart`: the target is there."""
        return Presence()

    def lost(self, state: Presence) -> bool:
        """See :class:`OnlinePart`."""
        return state.missing >= self.lost_after

    def accepts(self, state: Presence, note: Any, box: np.ndarray,
                score: float) -> bool:
        """See :class:`OnlinePart`."""
        return score >= (
            self.recover_score if self.lost(state) else self.hold_score)

    def update(self, state: Presence, outcome: Outcome) -> Presence:
        """See :class:`OnlinePart`."""
        return Presence(0 if outcome.found else state.missing + 1)
