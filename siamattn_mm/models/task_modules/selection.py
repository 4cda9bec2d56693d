"""From RPN maps to one proposal, the same for every runtime."""
from typing import Iterable, NamedTuple, Optional

import numpy as np
from scipy.special import expit

from siamattn_mm.structures.boxes import AnchorGrid, overlaps

# Of a size's change: exp() of what an untrained network says overflows.
MAX_LOG = 8.
# Votes fade in from so much below the wanted overlap to so much above it. At
# an edge, a box would have a vote in one runtime and none in another, and the
# tracker would carry the difference on.
FADE = 0.1


class Ranking(NamedTuple):
    """All anchors of one search crop.

    Attributes:
        boxes (np.ndarray): (K, 4) float64, cxcywh in crop pixels from the
            crop's middle.
        score (np.ndarray): (K,), foreground probabilities, 0..1.
        penalty (np.ndarray): (K,), for a change of size and aspect, 0..1.
        penalised (np.ndarray): (K,), the product of the two.
        total (np.ndarray): (K,), what is ranked by: blended with the window,
            and with what learning parts say.
    """
    boxes: np.ndarray
    score: np.ndarray
    penalty: np.ndarray
    penalised: np.ndarray
    total: np.ndarray


class Proposal(NamedTuple):
    """The best anchor's prediction in one search crop.

    Attributes:
        bbox (np.ndarray): (4,) float64, cxcywh in crop pixels from the crop's
            middle.
        score (float): Foreground probability, 0..1.
        penalty (float): For its change of size and aspect, 0..1.
        best (int): Index of the anchor.
    """
    bbox: np.ndarray
    score: float
    penalty: float
    best: int


def decode(deltas: np.ndarray, grid: AnchorGrid) -> np.ndarray:
    """Boxes that the network predicts.

    Args:
        deltas (np.ndarray): (4 * A, H, W); channel = coordinate * A + anchor.
        grid (AnchorGrid): Of H x W maps.

    Returns:
        np.ndarray: (K, 4) float64, cxcywh in crop pixels from the crop's
        middle.
    """
    deltas = deltas.astype(np.float64).reshape(4, -1)
    anchors = grid.boxes.T
    return np.concatenate([
        deltas[:2] * anchors[2:] + anchors[:2],
        np.exp(np.clip(deltas[2:], -MAX_LOG, MAX_LOG)) * anchors[2:]
    ]).T


def rank(cls_score: np.ndarray, boxes: np.ndarray, window: np.ndarray,
         target_size: Iterable[float], penalty_k: float,
         window_influence: float) -> Ranking:
    """Penalise scores, and blend them with a window.

    Args:
        cls_score (np.ndarray): (2 * A, H, W) logits; channel = class * A +
            anchor.
        boxes (np.ndarray): (K, 4), from :func:`decode`.
        window (np.ndarray): (K,), of the grid.
        target_size (Iterable[float]): Width and height of the target in the
            last frame, in crop pixels.
        penalty_k (float): Of a change of size and aspect ratio.
        window_influence (float): The window's share, 0..1.

    Returns:
        Ranking: See there.
    """
    logits = cls_score.astype(np.float64).reshape(2, -1)
    score = expit(logits[1] - logits[0])
    w, h = boxes.T[2:]
    last_w, last_h = target_size
    scale_change = _change(_padded_size(w, h) / _padded_size(last_w, last_h))
    ratio_change = _change((last_w / last_h) / (w / h))
    penalty = np.exp(-penalty_k * (ratio_change * scale_change - 1))
    penalised = penalty * score
    total = penalised * (1 - window_influence) + window * window_influence
    return Ranking(boxes, score, penalty, penalised, total)


def pick(ranking: Ranking,
         vote_iou: Optional[float] = None,
         excluded: Optional[np.ndarray] = None) -> Proposal:
    """Take the best anchor, or the mean of those that agree with it.

    Args:
        ranking (Ranking): Of one crop.
        vote_iou (float, optional): The box is the mean of all that overlap
            the best one so much, as :func:`vote` does it. None or 0 takes the
            best one's. Defaults to None.
        excluded (np.ndarray, optional): (K,) bool, what is not to be
            proposed. Defaults to None.

    Returns:
        Proposal: See there.
    """
    total, votes = ranking.total, ranking.penalised
    if excluded is not None:
        total, votes = (
            np.where(excluded, 0, values) for values in (total, votes))
    best = int(np.argmax(total))
    bbox = ranking.boxes[best]
    if vote_iou and votes[best] > 0:
        bbox = vote(ranking.boxes, votes, best, vote_iou)
    return Proposal(bbox, float(ranking.score[best]),
                    float(ranking.penalty[best]), best)


def vote(boxes: np.ndarray, weights: np.ndarray, best: int,
         iou: float) -> np.ndarray:
    """Average the boxes that agree with the best one (box voting).

    Source: Gidaris and Komodakis, ICCV 2015
    (https://arxiv.org/abs/1505.01749), section 4, where a vote is whole or
    none.

    Args:
        boxes (np.ndarray): (K, 4), cxcywh.
        weights (np.ndarray): (K,), not negative.
        best (int): Index of the best box; its weight is not 0.
        iou (float): Boxes that overlap the best one so much have half a
            vote; none at ``FADE`` less, a whole one at ``FADE`` more (and
            where there is no more).

    Returns:
        np.ndarray: (4,), cxcywh: means of the centres, geometric means of
        the sizes.
    """
    agreement = overlaps(boxes, boxes[best, None])[:, 0]
    low, high = iou - FADE, min(iou + FADE, 1.)
    voters = np.flatnonzero(agreement > low)
    columns = boxes[voters].T
    votes = weights[voters] * np.minimum(
        (agreement[voters] - low) / (high - low), 1.)
    mean = np.concatenate([columns[:2], np.log(columns[2:])]) @ (
        votes / votes.sum())
    return np.concatenate([mean[:2], np.exp(mean[2:])])


def _padded_size(w: np.ndarray, h: np.ndarray) -> np.ndarray:
    pad = 0.5 * (w + h)
    return np.sqrt((w + pad) * (h + pad))


def _change(ratio: np.ndarray) -> np.ndarray:
    return np.maximum(ratio, 1. / ratio)
