"""Keeping the target apart from things that look like it."""
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
from mmtrack.registry import TASK_UTILS
from scipy.optimize import linear_sum_assignment

# Of a match that is not allowed.
FORBIDDEN = 1e6


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """IoU of boxes with one of them, or with another.

    Args:
        boxes (np.ndarray): (4, K), cxcywh.
        box (np.ndarray): (4,), cxcywh.

    Returns:
        np.ndarray: (K,), 0..1.
    """
    half, box_half = boxes[2:] / 2, box[2:, None] / 2
    centre = box[:2, None]
    sides = (
        np.minimum(boxes[:2] + half, centre + box_half) -
        np.maximum(boxes[:2] - half, centre - box_half)).clip(min=0)
    intersection = sides[0] * sides[1]
    union = boxes[2] * boxes[3] + box[2] * box[3] - intersection
    return intersection / np.maximum(union, 1e-9)


class RivalState(NamedTuple):
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
        avoid (np.ndarray): (4, M), those known, cxcywh in crop pixels from
            the crop's middle.
        chosen (bool): Whether the proposal is one of them.
    """
    boxes: np.ndarray
    ages: np.ndarray
    known: np.ndarray
    avoid: np.ndarray
    chosen: bool


@TASK_UTILS.register_module()
class RivalAssociation:
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
        nms_iou (float): Of two that overlap more the better one counts; and
            what overlaps one to be avoided more is avoided, too.
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
                 target_gate: float = 1.0,
                 gate: float = 0.6,
                 separation: float = 0.8,
                 min_age: int = 3,
                 max_missing: int = 20) -> None:
        self.min_score = min_score
        self.max_candidates = max_candidates
        self.nms_iou = nms_iou
        self.target_gate = target_gate
        self.gate = gate
        self.separation = separation
        self.min_age = min_age
        self.max_missing = max_missing

    @staticmethod
    def init(target: np.ndarray) -> RivalState:
        """Begin with the target alone.

        Args:
            target (np.ndarray): (4,), cxcywh in image pixels.

        Returns:
            RivalState: See there.
        """
        return RivalState(target, np.zeros((0, 4)), np.zeros(0, int), 0)

    def recognise(self, state: RivalState, boxes: np.ndarray,
                  scores: np.ndarray, best: int, scale: float,
                  middle: np.ndarray) -> Candidates:
        """Find what looks like the target, and what of it is something else.

        Args:
            state (RivalState): So far.
            boxes (np.ndarray): (4, K) of all anchors, cxcywh in crop pixels
                from the crop's middle.
            scores (np.ndarray): (K,), penalised.
            best (int): Index of the proposal.
            scale (float): Crop pixels per image pixel.
            middle (np.ndarray): (2,), the crop's middle in image pixels.

        Returns:
            Candidates: See there.
        """
        picked = self._suppress(boxes, scores)
        found = boxes[:, picked].T / scale
        found[:, :2] += middle
        ages = np.zeros(len(found), int)
        if state.missing < self.max_missing:
            for old, new in self._match(state, found):
                ages[new] = state.ages[old] + 1
        known = ages >= self.min_age
        avoid = boxes[:, picked][:, known]
        chosen = bool((overlaps(avoid, boxes[:, best]) > self.nms_iou).any())
        return Candidates(found, ages, known, avoid, chosen)

    def _suppress(self, boxes: np.ndarray, scores: np.ndarray) -> List[int]:
        left = np.flatnonzero(scores > self.min_score)
        left = left[np.argsort(-scores[left], kind='stable')]
        picked: List[int] = []
        while len(left) and len(picked) < self.max_candidates:
            picked.append(left[0])
            left = left[overlaps(boxes[:, left], boxes[:, left[0]]) <
                        self.nms_iou]
        return picked

    def _match(self, state: RivalState,
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

    def accepts(self, state: RivalState, candidates: Candidates,
                target: np.ndarray) -> bool:
        """Whether a proposal may be the target.

        Where the best one is something else, what is taken instead has to be
        near the target's last place.

        Args:
            state (RivalState): So far.
            candidates (Candidates): From :meth:`recognise`.
            target (np.ndarray): (4,), cxcywh in image pixels.

        Returns:
            bool: False for what is to be reported, but not to be followed.
        """
        if not candidates.chosen:
            return True
        distance = np.linalg.norm(target[:2] - state.target[:2])
        return bool(
            distance <= self.target_gate * np.sqrt(state.target[2:].prod()))

    def update(self, state: RivalState, candidates: Candidates,
               target: Optional[np.ndarray]) -> RivalState:
        """Remember one frame.

        Args:
            state (RivalState): So far.
            candidates (Candidates): From :meth:`recognise`.
            target (np.ndarray, optional): (4,), cxcywh in image pixels; None
                if it was not found.

        Returns:
            RivalState: A new one.
        """
        missing = 0 if target is not None else state.missing + 1
        if target is None:
            target = state.target
        boxes = candidates.boxes
        reach = (boxes[:, 2:] + target[2:]) / 2 * self.separation
        apart = (np.abs(boxes[:, :2] - target[:2]) > reach).any(1)
        return RivalState(target, boxes[apart], candidates.ages[apart],
                          missing)
