"""Where the target goes next."""
from typing import Any, NamedTuple, Optional

import numpy as np
from mmtrack.registry import TASK_UTILS

from .online import OnlinePart, Outcome


class Motion(NamedTuple):
    """What is kept between frames, in image pixels.

    Attributes:
        box (np.ndarray): (4,), cxcywh, where the target was last followed to.
        velocity (np.ndarray, optional): (2,), by how much its centre moved
            from the frame before; None where it was not found in both.
    """
    box: np.ndarray
    velocity: Optional[np.ndarray] = None


@TASK_UTILS.register_module()
class MotionPrediction(OnlinePart):
    """Search where the target goes, not where it was.

    What moved moves on, half as far: a constant velocity, which hand-held
    cameras and turning targets make half as good. The target lies nearer to
    the search crop's middle, what looks like it is further off, and the
    window's influence is right about it. Not in the paper.

    Args:
        share (float): Of the last frame's movement that is expected again,
            0..1. Defaults to 0.5.
        limit (float): No more than so many sizes (square roots of the area)
            of the target along each axis. Defaults to 1.

    Raises:
        ValueError: If ``share`` is not in 0..1 or ``limit`` is negative.
    """

    def __init__(self, share: float = 0.5, limit: float = 1.) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f'share must be in 0..1, but got {share}')
        if limit < 0:
            raise ValueError(f'limit must be 0 or more, but got {limit}')
        self.share = share
        self.limit = limit

    def learn(self, target: np.ndarray, views: Any) -> Motion:
        """Begin with a target of which no movement is known.

        Args:
            target (np.ndarray): (4,), cxcywh in image pixels.
            views (Sequence[View]): Not used.

        Returns:
            Motion: The first state.
        """
        return Motion(target)

    def search_shift(self, state: Motion) -> np.ndarray:
        """Expect the target further along its way.

        Args:
            state (Motion): So far.

        Returns:
            np.ndarray: (2,), in image pixels.
        """
        if state.velocity is None:
            return np.zeros(2)
        reach = self.limit * np.sqrt(state.box[2:].prod())
        return np.clip(self.share * state.velocity, -reach, reach)

    def update(self, state: Motion, outcome: Outcome) -> Motion:
        """Learn a movement.

        Args:
            state (Motion): So far.
            outcome (Outcome): What came of the frame.

        Returns:
            Motion: The next state. After a frame without the target it is
            expected where it was, and it takes two to know a movement.
        """
        if not outcome.found:
            return Motion(state.box)
        return Motion(outcome.box, outcome.box[:2] - state.box[:2])
