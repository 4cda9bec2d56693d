"""Proposals against a loop over the spec, and voting."""
import math

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_overlaps
from torch.testing import assert_close

from siamattn_mm.models.task_modules import Proposal
from siamattn_mm.models.task_modules.selection import decode, pick, rank, vote
from siamattn_mm.structures.boxes import AnchorGrid

ANCHORS = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
PENALTY_K, INFLUENCE = 0.04, 0.44


@pytest.fixture
def select(generator):
    """The proposal in maps of one crop."""

    def select(cls_score, bbox_pred, target, excluded=None, **kwargs):
        grid = AnchorGrid.of(generator, *cls_score.shape[-2:])
        boxes = decode(bbox_pred[0].numpy(), grid)
        ranking = rank(cls_score[0].numpy(), boxes, grid.window, target,
                       PENALTY_K, INFLUENCE)
        return pick(ranking, excluded=excluded, **kwargs)

    return select


def hanning(n, i):
    return 0.5 - 0.5 * math.cos(2 * math.pi * i / (n - 1)) if n > 1 else 1.


def padded(w, h):
    return math.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))


def change(ratio):
    return max(ratio, 1 / ratio)


def naive_proposal(cls_score, bbox_pred, target):
    """Spec part 7, steps 2 and 3, one anchor at a time."""
    _, _, height, width = cls_score.shape
    best = (-1., None)
    for a, (anchor_w, anchor_h) in enumerate(ANCHORS):
        for i in range(height):
            for j in range(width):
                logit0 = float(cls_score[0, a, i, j])
                logit1 = float(cls_score[0, 5 + a, i, j])
                dx, dy, dw, dh = (
                    float(bbox_pred[0, c * 5 + a, i, j]) for c in range(4))
                score = math.exp(logit1) / (
                    math.exp(logit0) + math.exp(logit1))
                cx = dx * anchor_w + (j - width // 2) * 8
                cy = dy * anchor_h + (i - height // 2) * 8
                w, h = math.exp(dw) * anchor_w, math.exp(dh) * anchor_h
                r = change((target[0] / target[1]) / (w / h))
                s = change(padded(w, h) / padded(*target))
                penalty = math.exp(-PENALTY_K * (r * s - 1))
                window = hanning(height, i) * hanning(width, j)
                p = penalty * score * (1 - INFLUENCE) + INFLUENCE * window
                if p > best[0]:
                    best = (p, ((cx, cy, w, h), score, penalty))
    return best[1]


@pytest.mark.parametrize('size', [(25, 25), (5, 9), (26, 26)])
@pytest.mark.parametrize('target', [(60., 60.), (20., 90.), (200., 35.)])
def test_proposal_is_that_of_a_loop(select, size, target):
    cls_score = torch.randn(1, 10, *size) * 3
    bbox_pred = torch.randn(1, 20, *size) * .5
    found = select(cls_score, bbox_pred, target)
    bbox, score, penalty = naive_proposal(cls_score, bbox_pred, target)
    np.testing.assert_allclose(found.bbox, bbox, rtol=1e-9, atol=1e-9)
    assert found.score == pytest.approx(score, abs=1e-12)
    assert found.penalty == pytest.approx(penalty, abs=1e-12)


def test_proposal_of_one_clear_peak(select):
    cls_score = torch.zeros(1, 10, 25, 25)
    cls_score[0, 5 + 3, 14, 9] = 20.
    bbox_pred = torch.zeros(1, 20, 25, 25)
    bbox_pred[0, 0 * 5 + 3, 14, 9] = 0.1
    bbox_pred[0, 2 * 5 + 3, 14, 9] = math.log(2)
    found = select(cls_score, bbox_pred, (80., 80.))
    assert isinstance(found, Proposal)
    # Anchor 3 is 40x80; cell (14, 9) is 24 px left and 16 px below.
    np.testing.assert_allclose(found.bbox, [-24 + 4, 16, 80, 80], rtol=1e-6)
    assert found.score == pytest.approx(1., abs=1e-6)
    assert found.penalty == pytest.approx(1., abs=1e-6)


def test_proposal_of_huge_deltas_is_finite(select):
    found = select(
        torch.zeros(1, 10, 25, 25), torch.full((1, 20, 25, 25), 1e4), (50, 50))
    assert np.isfinite(found.bbox).all() and np.isfinite(found.penalty)


def naive_vote(boxes, weights, best, iou):
    """The mean over a loop: centres, and logarithms of the sizes."""
    total, sums = 0., np.zeros(4)
    for box, weight in zip(boxes, weights):
        overlap = bbox_overlaps(
            bbox_cxcywh_to_xyxy(torch.tensor(box)[None]),
            bbox_cxcywh_to_xyxy(torch.tensor(boxes[best])[None])).item()
        # From none to a whole vote, a tenth below to a tenth above.
        share = np.interp(overlap, [iou - .1, min(iou + .1, 1)], [0, 1])
        total += share * weight
        sums += share * weight * np.append(box[:2], np.log(box[2:]))
    mean = sums / total
    return np.append(mean[:2], np.exp(mean[2:]))


@pytest.mark.parametrize('iou', [.3, .6, .95])
def test_vote_is_that_of_a_loop(iou):
    rng = np.random.default_rng(0)
    boxes = np.concatenate(
        [rng.uniform(-10, 10, (40, 2)), rng.uniform(30, 60, (40, 2))], 1)
    weights = rng.random(40)
    assert_close(
        vote(boxes, weights, 7, iou), naive_vote(boxes, weights, 7, iou))


def test_last_digits_give_and_take_no_vote():
    """A box that moves by a hair moves the mean by about as much."""
    moved = np.linspace(0, 40, 4001)
    boxes = np.array([[0., 0., 40., 40.]] * 2)
    found = []
    for x in moved:
        boxes[1, 0] = x
        found.append(vote(boxes, np.array([.6, .4]), 0, .6)[0])
    steps = np.abs(np.diff(found))
    assert max(found) > 2.5 and found[-1] == 0
    assert steps.max() < 2 * (moved[1] - moved[0])


def test_proposals_that_agree_vote(select):
    cls_score = torch.full((1, 10, 25, 25), -20.)
    cls_score[:, :5] = 20.
    bbox_pred = torch.zeros(1, 20, 25, 25)
    # Squares of 64 pixels, a cell apart, and one of another place.
    for column, logit in ((12, 1.), (13, 0.), (20, 3.)):
        cls_score[0, 2, 12, column] = 0.
        cls_score[0, 7, 12, column] = logit
    score = 1 / (1 + math.exp(-1))
    assert select(cls_score, bbox_pred, (64., 64.)).bbox[0] == 0
    found = select(cls_score, bbox_pred, (64., 64.), vote_iou=.6)
    assert_close(found.bbox, np.array([8 * .5 / (.5 + score), 0, 64, 64]))
    assert found.score == pytest.approx(score)


def test_nobody_votes_where_nothing_is_found(select):
    cls_score = torch.cat([torch.full((1, 5, 25, 25), 1e4),
                           torch.full((1, 5, 25, 25), -1e4)], 1)
    found = select(
        cls_score, torch.zeros(1, 20, 25, 25), (64., 64.), vote_iou=.6)
    assert np.isfinite(found.bbox).all() and found.score == 0


def test_what_is_excluded_is_not_proposed_and_has_no_vote(select):
    cls_score, bbox_pred = torch.randn(1, 10, 25, 25), torch.zeros(
        1, 20, 25, 25)
    best = select(cls_score, bbox_pred, (60., 60.))
    excluded = np.zeros(3125, bool)
    excluded[best.best] = True
    other = select(cls_score, bbox_pred, (60., 60.), excluded)
    assert other.best != best.best
    alone = np.ones(3125, bool)
    alone[other.best] = False
    voted = select(cls_score, bbox_pred, (60., 60.), alone, vote_iou=.3)
    np.testing.assert_allclose(voted.bbox, other.bbox)


def test_the_heads_decoding_is_the_same(small_config):
    head = small_config.model.head
    assert head.anchor_generator.type == 'SiamAttnAnchorGenerator'
    from mmengine.registry import init_default_scope
    from mmtrack.registry import MODELS
    init_default_scope('mmtrack')
    head = MODELS.build(
        dict(head, train_cfg=small_config.model.train_cfg.rpn,
             test_cfg=small_config.model.test_cfg.rpn))
    bbox_pred = torch.randn(1, 20, 25, 25)
    grid = AnchorGrid.of(head.anchor_generator, 25, 25)
    assert_close(
        torch.from_numpy(decode(bbox_pred[0].numpy(), grid)).float(),
        head.decode(bbox_pred)[0], rtol=1e-4, atol=1e-3)
