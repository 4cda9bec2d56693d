"""Keeping the target apart from distractors."""
from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np
from mmtrack.registry import TASK_UTILS
from scipy.optimize import linear_sum_assignment

from siamattn_mm.structures.boxes import overlaps

from .online import OnlinePart, Outcome
from .selection import Ranking

# Of a match that is not allowed.
FORBIDDEN = 1e6


class DistractorState(NamedTuple):
    """What is kept between frames; boxes are cxcywh in image pixels.

    Attributes:
        target (np.ndarray): (4,), where it was last found.
        boxes (np.ndarray): (N, 4), of whatever else looked like it.
        ages (np.ndarray): (N,), for how many frames each was followed.
        missing (int): For how many frames the target was not found.
    """
    target: np.ndarray
    boxes: np.ndarray
    ages: np.ndarray
    missing: int


class Candidates(NamedTuple):
    """What looks like the target in one frame.

    Attributes:
        boxes (np.ndarray): (N, 4), cxcywh in image pixels.
        ages (np.ndarray): (N,), for how many frames each was followed as
            something else than the target; 0 for what is new or the target.
        known (np.ndarray): (N,) bool, whether that is long enough to be sure.
        chosen (bool): Whether what was ranked first is one of those.
    """
    boxes: np.ndarray
    ages: np.ndarray
    known: np.ndarray
    chosen: bool


@TASK_UTILS.register_module()
class DistractorAssociation(OnlinePart):
    """Follows whatever looks like the target, so as not to jump to it.

    A hidden target is what a tracker loses to the next person in the same
    shirt, whose score is as high as ever. But that person was there before,
    somewhere else: what looks like the target is matched from frame to frame
    by its place, and a proposal that has been something else for a few frames
    is not taken for the target. In such a frame the target's size stays what
    it was, and the correlation filter learns nothing.

    The idea is KeepTrack's (https://arxiv.org/abs/2103.16556), whose matching
    is learnt; here place alone counts. Not in the paper.

    Args:
        min_score (float): Proposals with a lower penalised score look like
            nothing. Defaults to 0.5.
        max_candidates (int): In one frame. Defaults to 8.
        nms_iou (float): Of two that overlap more the better one counts.
            Defaults to 0.3.
        avoid_iou (float): What overlaps a distractor more is taken for it.
            Defaults to 0.3.
        target_gate (float): Farthest that the target goes in a frame, in
            sizes (square roots of areas) of it. Defaults to 1.0.
        gate (float): The same for others. Defaults to 0.6.
        separation (float): Others are at least so far from the target in x or
            y, as a share of where boxes begin to overlap. What is nearer may
            be a part of it. Defaults to 0.8.
        min_age (int): Frames until it is sure that it is not the target.
            Defaults to 3.
        max_missing (int): Frames without the target after which the best
            proposal is taken again, whatever it was. Defaults to 20.
    """

    def __init__(self,
                 min_score: float = 0.5,
                 max_candidates: int = 8,
                 nms_iou: float = 0.3,
                 avoid_iou: float = 0.3,
                 target_gate: float = 1.0,
                 gate: float = 0.6,
                 separation: float = 0.8,
                 min_age: int = 3,
                 max_missing: int = 20) -> None:
        self.min_score = min_score
        self.max_candidates = max_candidates
        self.nms_iou = nms_iou
        self.avoid_iou = avoid_iou
        self.target_gate = target_gate
        self.gate = gate
        self.separation = separation
        self.min_age = min_age
        self.max_missing = max_missing

    def learn(self, target: np.ndarray, views: Any) -> DistractorState:
        """Begin with the target alone.

        Args:
            target (np.ndarray): (4,), cxcywh in image pixels.
            views (Sequence[View]): Not used.

        Returns:
            DistractorState: The first state.
        """
        return DistractorState(target, np.zeros((0, 4)), np.zeros(0, int), 0)

    def choose(self, state: DistractorState, ranking: Ranking, best: int,
               window: Any) -> Tuple[Optional[np.ndarray], Candidates]:
        """Find what looks like the target, and what of it is something else.

        Args:
            state (DistractorState): So far.
            ranking (Ranking): Final.
            best (int): Index of the anchor that is ranked first.
            window (SearchWindow): Where the crop lies.

        Returns:
            tuple[np.ndarray | None, Candidates]: If the best is something
            else, (K,) bool: what overlaps such things.
        """
        picked = self._suppress(ranking)
        boxes = ranking.boxes[picked]
        found = window.to_image(boxes, rounded=False)
        ages = np.zeros(len(found), int)
        if state.missing < self.max_missing:
            for old, new in self._match(state, found):
                ages[new] = state.ages[old] + 1
        known = ages >= self.min_age
        chosen, excluded = False, None
        if known.any():
            taken = (overlaps(ranking.boxes, boxes[known]) >
                     self.avoid_iou).any(1)
            chosen = bool(taken[best])
            excluded = taken if chosen else None
        return excluded, Candidates(found, ages, known, chosen)

    def _suppress(self, ranking: Ranking) -> List[int]:
        """Indices of the best anchors that overlap little."""
        scores, boxes = ranking.penalised, ranking.boxes
        left = np.flatnonzero(scores > self.min_score)
        left = left[np.argsort(-scores[left], kind='stable')]
        picked: List[int] = []
        while len(left) and len(picked) < self.max_candidates:
            picked.append(left[0])
            left = left[overlaps(boxes[left], boxes[left[:1]])[:, 0] <
                        self.nms_iou]
        return picked

    def _match(self, state: DistractorState,
               found: np.ndarray) -> List[Tuple[int, int]]:
        """Pairs of a known box and one that was found, but the target's."""
        if not len(state.boxes) or not len(found):
            return []
        before = np.concatenate([state.target[None], state.boxes])
        gates = np.full(len(before), self.gate)
        gates[0] = self.target_gate
        distance = np.linalg.norm(
            found[None, :, :2] - before[:, None, :2], axis=2)
        distance /= np.sqrt(before[:, 2:].prod(1))[:, None]
        distance[distance > gates[:, None]] = FORBIDDEN
        # To find none of what was found costs as much as the farthest match.
        none = np.full((len(before), len(before)), FORBIDDEN)
        np.fill_diagonal(none, gates)
        rows, columns = linear_sum_assignment(
            np.concatenate([distance, none], 1))
        return [(row - 1, column) for row, column in zip(rows, columns)
                if row > 0 and column < len(found)]

    def accepts(self, state: DistractorState, note: Candidates,
                box: np.ndarray, score: float) -> bool:
        """Say whether what was found may be the target.

        Where the best one is something else, what is taken instead has to be
        near the target's last place.

        Args:
            state (DistractorState): So far.
            note (Candidates): From :meth:`choose`.
            box (np.ndarray): (4,), cxcywh in image pixels.
            score (float): Not used.

        Returns:
            bool: False for what is to be reported, but not to be followed.
        """
        if not note.chosen:
            return True
        distance = np.linalg.norm(box[:2] - state.target[:2])
        return bool(
            distance <= self.target_gate * np.sqrt(state.target[2:].prod()))

    def update(self, state: DistractorState,
               outcome: Outcome) -> DistractorState:
        """Remember one frame.

        Args:
            state (DistractorState): So far.
            outcome (Outcome): What came of the frame.

        Returns:
            DistractorState: A new one.
        """
        target, missing = state.target, state.missing + 1
        if outcome.found:
            target, missing = outcome.box, 0
        boxes, ages = outcome.note.boxes, outcome.note.ages
        reach = (boxes[:, 2:] + target[2:]) / 2 * self.separation
        apart = (np.abs(boxes[:, :2] - target[:2]) > reach).any(1)
        return DistractorState(target, boxes[apart], ages[apart], missing)
