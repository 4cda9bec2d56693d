"""Targets and RoIs of a batch, against the rules in plain numpy."""
import numpy as np
import pytest
import torch
from anchor_generator import build_anchor_generator
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS, TASK_UTILS

from siamattn_mm.models.heads.refinement_rois import clip_to_crop
from siamattn_mm.models.task_modules.anchor_targets import (
    anchor_targets,
    can_batch,
    negative_window,
)
from siamattn_mm.utils.image_draws import draw_order

pytestmark = pytest.mark.usefixtures('_mmtrack_scope')
SIZE, NUM_ANCHORS, STRIDE, MIDDLE = (25, 25), 5, (8, 8), 127
NUM_NEG = 16


@pytest.fixture
def _mmtrack_scope():
    init_default_scope('mmtrack')


@pytest.fixture
def refinement_head(small_config):
    """That of the small model, which draws 16 RoIs."""
    config = small_config.model.refine_head.copy()
    config['train_cfg'] = dict(num_rois=16)
    return MODELS.build(config)


def build(hard_fraction=0., **assigner):
    assigner = dict(
        dict(
            type='mmdet.MaxIoUAssigner',
            pos_iou_thr=0.6,
            neg_iou_thr=0.3,
            min_pos_iou=0.6,
            match_low_quality=False,
            iou_calculator=dict(type='mmdet.BboxOverlaps2D')), **assigner)
    return (TASK_UTILS.build(assigner),
            TASK_UTILS.build(
                dict(
                    type='SiamAttnSampler',
                    num=64,
                    pos_fraction=0.25,
                    hard_fraction=hard_fraction,
                    add_gt_as_proposals=False)),
            TASK_UTILS.build(dict(type='mmdet.DeltaXYWHBBoxCoder')))


def anchors_of():
    generator = build_anchor_generator()
    anchors = generator.grid_priors([torch.Size(SIZE)], device='cpu')[0]
    return anchors + (MIDDLE - 12 * 8)


def batch(num, seed=0):
    """Boxes of all sizes and places, some partly outside, some pairs bad."""
    rng = np.random.default_rng(seed)
    centre, size = rng.uniform(20, 235, (num, 2)), np.exp(
        rng.uniform(np.log(6), np.log(160), (num, 1)) + rng.uniform(
            -.4, .4, (num, 2)))
    boxes = np.concatenate([centre - size / 2, centre + size / 2], 1)
    return (torch.from_numpy(boxes).float(),
            torch.from_numpy(rng.random(num) < .7))


def iou(box, others):
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    inter = np.clip(high - low, 0, None).prod(1)
    area = (box[2:] - box[:2]).prod() + (others[:, 2:] -
                                         others[:, :2]).prod(1)
    return inter / np.maximum(area - inter, 1e-6)


def first(candidates, order, start, num):
    """Candidates in their order, from where the image begins."""
    turned = np.roll(order, -start)
    return [place for place in turned if candidates[place]][:num]


def oracle(anchors, box, positive, draws, low_quality, min_pos_iou):
    """One image: positive and negative places (mmtrack's rules)."""
    if not positive:
        cell = [
            25 // 2 + int(np.ceil(((box[a] + box[a + 2]) / 2 - MIDDLE) / 8 +
                                  .5)) for a in (0, 1)
        ]
        used = np.zeros(SIZE + (NUM_ANCHORS, ), bool)
        used[max(0, cell[1] - 3):max(0, cell[1] + 4),
             max(0, cell[0] - 3):max(0, cell[0] + 4)] = True
        return [], first(used.ravel(), *draws, NUM_NEG)
    overlap = iou(box, anchors)
    near = overlap >= .6
    if low_quality and overlap.max() >= min_pos_iou:
        near |= overlap == overlap.max()
    far = (overlap < .3) & ~near
    return first(near, *draws, 16), first(far, *draws, 48)


@pytest.mark.parametrize('assigner', [
    dict(), dict(match_low_quality=True, min_pos_iou=.3)
])
def test_sets_and_weights_are_those_of_one_image_after_the_other(assigner):
    boxes, positive = batch(80)
    parts, anchors = build(**assigner), anchors_of()
    draws = draw_order(len(boxes), len(anchors))
    found = anchor_targets(
        anchors, boxes, positive, draws, *parts,
        negative_window(boxes, positive, SIZE, STRIDE, MIDDLE), NUM_NEG)
    dense = found.dense(len(anchors))
    dense_labels, label_weights, deltas, delta_weights = dense
    some = 0
    for i, box in enumerate(boxes.numpy()):
        pos, neg = oracle(anchors.numpy(), box, bool(positive[i]),
                          (draws.order.numpy(), int(draws.starts[i])),
                          bool(assigner), .3)
        some += len(pos)
        labels, weights = np.zeros(3125, int), np.zeros(3125)
        box_weights = np.zeros(3125)
        labels[pos] = 1
        for places in (pos, neg):
            weights[places] = .5 / max(len(places), 1) / len(boxes)
        box_weights[pos] = 1 / max(len(pos), 1) / len(boxes)
        np.testing.assert_array_equal(dense_labels[i], labels)
        np.testing.assert_allclose(label_weights[i], weights, rtol=1e-6)
        np.testing.assert_allclose(
            delta_weights[i], box_weights[:, None].repeat(4, 1),
            rtol=1e-6)
        expected = parts[2].encode(anchors[pos], boxes[i].expand(len(pos), 4))
        torch.testing.assert_close(deltas[i][pos], expected)
        assert not deltas[i][labels == 0].any()
    assert some > 40


def test_hard_negatives_are_the_highest_scores_away_from_the_target():
    boxes, positive = batch(40)
    parts, anchors = build(hard_fraction=.75), anchors_of()
    draws = draw_order(len(boxes), len(anchors))
    scores = torch.randn(len(boxes), len(anchors))
    window = negative_window(boxes, positive, SIZE, STRIDE, MIDDLE)
    arguments = (anchors, boxes, positive, draws, *parts, window, NUM_NEG)
    labels, weights = anchor_targets(*arguments,
                                     scores).dense(len(anchors))[:2]
    for i, box in enumerate(boxes.numpy()):
        negative = (labels[i] == 0) & (weights[i] > 0)
        if positive[i]:
            candidates, num = iou(box, anchors.numpy()) < .1, 48
        else:
            candidates, num = window[i].repeat_interleave(5).numpy(), NUM_NEG
        ranked = scores[i].masked_fill(
            ~torch.from_numpy(candidates), -np.inf).argsort(descending=True)
        hard = ranked[:min(num * 3 // 4, int(candidates.sum()))]
        assert negative[hard].all()
        # The others are drawn as ever; some are among the hard ones.
        assert len(hard) < negative.sum() <= num
        # Together they weigh as much as the positive ones.
        assert weights[i][negative].sum() == pytest.approx(.5 / len(boxes))
    # Without scores all are drawn.
    plain = anchor_targets(anchors, boxes, positive, draws, *build(), window,
                           NUM_NEG)
    for one, other in zip(anchor_targets(*arguments), plain):
        assert torch.equal(one, other)


def test_a_share_of_hard_negatives_is_a_share():
    with pytest.raises(ValueError, match=r'hard_fraction.*\[0, 1\].*1\.5'):
        build(hard_fraction=1.5)


def test_other_rules_are_left_to_mmtrack():
    assigner, sampler, _ = build()
    assert can_batch(assigner, sampler)
    other = TASK_UTILS.build(
        dict(type='mmdet.RandomSampler', num=64, pos_fraction=.25))
    assert not can_batch(assigner, other)


def test_rois_are_those_of_one_image_after_the_other(refinement_head):
    boxes, positive = batch(30, seed=1)
    boxes[3, 2] = boxes[3, 0]  # no area
    rng = torch.Generator().manual_seed(0)
    proposals = torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2,
                           boxes[:, 2:] - boxes[:, :2]], 1)[:, None]
    proposals = proposals * (
        1 + .3 * torch.randn(30, 200, 4, generator=rng))
    torch.manual_seed(5)
    found = refinement_head.sample_rois(proposals, boxes, positive)
    torch.manual_seed(5)
    order, starts = (part.numpy() for part in draw_order(30, 201))
    expected, images = [], []
    for i, box in enumerate(boxes.numpy()):
        if not positive[i] or (box[2:] <= box[:2]).any():
            continue
        clipped = clip_to_crop(proposals[i], 255, 10).numpy()
        corners = np.concatenate([
            clipped[:, :2] - clipped[:, 2:] / 2,
            clipped[:, :2] + clipped[:, 2:] / 2
        ], 1)
        corners = np.concatenate([corners, box[None]])
        good = iou(box, corners) >= .5
        good[-1] = True
        picked = first(good, order, starts[i], 16)
        picked = (picked * 16)[:16]
        images.append(i)
        expected += [[i, *corners[j]] for j in picked]
    np.testing.assert_allclose(found.rois, expected, rtol=1e-5, atol=1e-4)
    assert found.images == tuple(images)
