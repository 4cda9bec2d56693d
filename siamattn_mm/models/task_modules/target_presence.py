"""Whether the target is seen, missing or lost."""
from typing import Any, NamedTuple, Optional

import numpy as np
from mmtrack.registry import TASK_UTILS

from .online import OnlinePart, Outcome


class Presence(NamedTuple):
    """What is kept between frames.

    Attributes:
        missing (int): For how many frames the target was not found.
        steady (int): For how many of the last it was lost, but scored
            ``confirm_score`` or more.
    """
    missing: int = 0
    steady: int = 0


@TASK_UTILS.register_module()
class TargetPresence(OnlinePart):
    """Decide by its score whether what was found is the target.

    A target is seen, missing, or lost: after ``lost_after`` frames without it.
    What scores less than ``hold_score`` is not followed; a lost target is
    found again by ``recover_score``, or by a little less for a while. Not in
    the paper.

    Args:
        hold_score (float): Defaults to 0.3.
        recover_score (float, optional): None is ``hold_score``.
            Defaults to None.
        confirm_score (float, optional): None is half way between the two.
            Defaults to None.
        confirm_frames (int): For so many frames in a row a lost target has to
            score ``confirm_score``. Defaults to 10.
        lost_after (int): A frame or two are a hidden target, no more.
            Defaults to 3.
        max_zoom (float): While it is lost, the search window grows with every
            frame until its side is so many times as long. Defaults to 1:
            never.
        zoom_frames (int): In so many frames. Defaults to 10.

    Raises:
        ValueError: If a score is not in 0..1, or ``max_zoom`` or
            ``zoom_frames`` is below 1.
    """

    def __init__(self,
                 hold_score: float = 0.3,
                 recover_score: Optional[float] = None,
                 confirm_score: Optional[float] = None,
                 confirm_frames: int = 10,
                 lost_after: int = 3,
                 max_zoom: float = 1.,
                 zoom_frames: int = 10) -> None:
        if recover_score is None:
            recover_score = hold_score
        if confirm_score is None:
            confirm_score = (hold_score + recover_score) / 2
        for name, value in (('hold_score', hold_score),
                            ('recover_score', recover_score),
                            ('confirm_score', confirm_score)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in 0..1, but got {value}')
        for name, value in (('max_zoom', max_zoom),
                            ('zoom_frames', zoom_frames)):
            if value < 1:
                raise ValueError(f'{name} must be 1 or more, but got {value}')
        self.hold_score = hold_score
        self.recover_score = recover_score
        self.confirm_score = confirm_score
        self.confirm_frames = confirm_frames
        self.lost_after = lost_after
        self.max_zoom = max_zoom
        self.zoom_frames = zoom_frames

    def learn(self, target: np.ndarray, views: Any) -> Presence:
        """Begin with a target that is there.

        Args:
            target (np.ndarray): Not used.
            views (Sequence[View]): Not used.

        Returns:
            Presence: The first state.
        """
        return Presence()

    def lost(self, state: Presence) -> bool:
        """Say whether the target is lost.

        Args:
            state (Presence): So far.

        Returns:
            bool: Whether it was not found for ``lost_after`` frames.
        """
        return state.missing >= self.lost_after

    def search_zoom(self, state: Presence) -> float:
        """Look further away the longer the target is lost.

        Args:
            state (Presence): So far.

        Returns:
            float: Times the usual window's side.
        """
        frames = max(0, state.missing - self.lost_after + 1)
        return 1 + (self.max_zoom - 1) * min(1., frames / self.zoom_frames)

    def accepts(self, state: Presence, note: Any, box: np.ndarray,
                score: float) -> bool:
        """Say whether what was found scores enough.

        Args:
            state (Presence): So far.
            note (Any): Not used.
            box (np.ndarray): Not used.
            score (float): 0..1.

        Returns:
            bool: False for what is not to be followed.
        """
        if not self.lost(state):
            return score >= self.hold_score
        confirmed = (
            score >= self.confirm_score
            and state.steady + 1 >= self.confirm_frames)
        return confirmed or score >= self.recover_score

    def update(self, state: Presence, outcome: Outcome) -> Presence:
        """Count frames.

        Args:
            state (Presence): So far.
            outcome (Outcome): What came of the frame.

        Returns:
            Presence: The next state.
        """
        if outcome.found:
            return Presence()
        steady = self.lost(state) and outcome.score >= self.confirm_score
        return Presence(state.missing + 1, state.steady + 1 if steady else 0)
