"""RPN head: the network, all anchors decoded, and its losses."""

import numpy as np
import pytest
import torch
from mmtrack.registry import MODELS, TASK_UTILS
from torch.testing import assert_close

from siamattn_mm.models.ops.prepare import prepare_for_inference
from siamattn_mm.models.task_modules.selection import rank

ANCHORS = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]


def test_decode_is_the_loop_over_anchors(rpn_head):
    bbox_pred = torch.randn(2, 20, 7, 5)
    found = rpn_head.decode(bbox_pred)
    assert found.shape == (2, 5 * 7 * 5, 4)
    for n, a, i, j in ((0, 0, 0, 0), (1, 4, 6, 4), (1, 2, 3, 1), (0, 3, 5, 2)):
        dx, dy, dw, dh = bbox_pred[n, a::5, i, j]
        w, h = ANCHORS[a]
        expected = torch.stack([
            dx * w + (j - 2) * 8, dy * h + (i - 3) * 8,
            dw.exp() * w, dh.exp() * h
        ])
        assert_close(found[n, (a * 7 + i) * 5 + j], expected)


def test_network_output(rpn_head):
    zs = tuple(torch.randn(2, 8, 7, 7) for _ in range(2))
    xs = tuple(torch.randn(2, 8, 31, 31) for _ in range(2))
    cls_score, bbox_pred = rpn_head.eval()(zs, xs)
    assert cls_score.shape == (2, 10, 25, 25)
    assert bbox_pred.shape == (2, 20, 25, 25)
    # Levels are combined with the softmax of learnt weights.
    with torch.no_grad():
        rpn_head.cls_weight.copy_(torch.tensor([1., 3.]))
    weights = rpn_head.cls_weight.softmax(0)
    expected = sum(w * head(z, x) for w, head, z, x in zip(
        weights, rpn_head.cls_heads, zs, xs))
    assert_close(rpn_head(zs, xs)[0], expected)


# -- training ------------------------------------------------------------


def build_sampler(kind='SiamAttnSampler', **kwargs):
    """The config's numbers, and others."""
    return TASK_UTILS.build(
        dict(
            dict(
                type=kind,
                num=64,
                pos_fraction=0.25,
                add_gt_as_proposals=False), **kwargs))


def anchor_box(anchor, row, column):
    """xyxy in crop pixels; the centre cell lies at pixel 127."""
    w, h = ANCHORS[anchor]
    cx, cy = 127 + (column - 12) * 8, 127 + (row - 12) * 8
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


@pytest.mark.parametrize('anchor, row, column', [(2, 12, 12), (3, 10, 14),
                                                 (0, 15, 9), (4, 7, 12)])
def test_anchor_at_the_ground_truth_is_positive(rpn_head, make_sample, anchor,
                                                row, column):
    gt = make_sample(anchor_box(anchor, row, column), True)
    labels, weights, targets, target_weights = rpn_head.get_targets(
        [gt.search_gt_instances], (25, 25))
    index = (row * 25 + column) * 5 + anchor
    assert labels[0, index] == 1 and weights[0, index] > 0
    assert target_weights[0, index].all()
    assert_close(targets[0, index], torch.zeros(4))
    # What is positive lies around it, and no more than 16 are.
    positive = labels[0].view(25, 25, 5).nonzero()
    assert 1 <= len(positive) <= 16
    centre = torch.tensor([row, column])
    assert (positive[:, :2] - centre).abs().max() <= 4
    assert (labels[0].bool() | (target_weights[0].sum(1) == 0)).all()


def test_number_and_weight_of_samples(rpn_head, make_sample):
    gt = make_sample(anchor_box(2, 12, 12), True).search_gt_instances
    labels, weights, _, _ = rpn_head.get_targets([gt, gt], (25, 25))
    negative = (labels == 0) & (weights > 0)
    assert (negative.sum(1) <= 48).all()
    # Each image and each class weighs the same: 1/2 each, over two images.
    assert_close(weights[labels == 1].sum(), torch.tensor(.5))
    assert_close(weights[negative].sum(), torch.tensor(.5))


def test_negatives_come_from_everywhere_with_our_sampler(
        rpn_head, make_sample):
    rpn_head.sampler = build_sampler()
    gt = make_sample([97., 102., 157., 152.], True).search_gt_instances
    rows = torch.zeros(25)
    for _ in range(40):
        labels, weights, _, _ = rpn_head.get_targets([gt], (25, 25))
        negative = (labels == 0) & (weights > 0)
        assert negative.sum() == 48
        rows += negative.view(25, 25, 5).sum((1, 2))
    assert rows[-5:].sum() > 0.7 * rows[:5].sum()


def test_other_samplers_too_draw_for_each_image_alone(rpn_head, make_sample):
    """What an image gets does not depend on the images before it."""
    rpn_head.sampler = build_sampler('mmdet.RandomSampler')
    boxes = ([97., 102., 157., 152.], [20., 30., 200., 210.],
             [90., 80., 190., 150.])
    found = []
    for first in boxes[:2]:
        gts = [make_sample(box, True).search_gt_instances
               for box in (first, boxes[2])]
        torch.manual_seed(3)
        found.append(rpn_head.get_targets(gts, (25, 25)))
    for one, other in zip(*found):
        assert torch.equal(one[1], other[1])
    assert not torch.equal(found[0][1][0], found[1][1][0])


def perfect_deltas(rpn_head, bbox):
    """Box outputs with which every anchor says ``bbox``."""
    box = torch.tensor(bbox)
    target = torch.cat([(box[:2] + box[2:]) / 2 - 127, box[2:] - box[:2]])
    anchors = rpn_head.decode(torch.zeros(1, 20, 25, 25))[0]
    deltas = torch.cat([(target[:2] - anchors[:, :2]) / anchors[:, 2:],
                        (target[2:] / anchors[:, 2:]).log()], 1)
    return deltas.t().reshape(1, 20, 25, 25)


def test_perfect_deltas_have_no_box_loss(rpn_head, make_sample):
    """Training and tracking read the channels in the same order."""
    bbox = [100., 95., 170., 160.]
    cls_score = torch.zeros(1, 10, 25, 25)
    bbox_pred = perfect_deltas(rpn_head, bbox)
    gt = make_sample(bbox, True).search_gt_instances
    losses = rpn_head.loss_by_feat(cls_score, bbox_pred, None, [gt], [{}])
    assert_close(losses['loss_rpn_bbox'], torch.tensor(0.), atol=1e-5, rtol=0)
    worse = rpn_head.loss_by_feat(cls_score, bbox_pred + .1, None, [gt], [{}])
    # L1 over four coordinates, mean over positives, weight 1.2.
    assert_close(worse['loss_rpn_bbox'], torch.tensor(1.2 * 4 * .1))


@pytest.mark.parametrize('reduction', ['sum', 'mean'])
def test_box_loss_is_that_of_all_anchors(rpn_head, make_sample, reduction):
    rpn_head.loss_bbox = MODELS.build(
        dict(type='mmdet.L1Loss', reduction=reduction, loss_weight=1.2))
    gts = [
        make_sample(anchor_box(2, 12, 12), True).search_gt_instances,
        make_sample(anchor_box(3, 9, 14), False).search_gt_instances,
        make_sample([97., 102., 157., 152.], True).search_gt_instances
    ]
    cls_score, bbox_pred = torch.randn(3, 10, 25, 25), torch.randn(
        3, 20, 25, 25)
    torch.manual_seed(1)
    _, _, targets, weights = rpn_head.get_targets(gts, (25, 25))
    torch.manual_seed(1)
    found = rpn_head.loss_by_feat(cls_score, bbox_pred, None, gts,
                                  [])['loss_rpn_bbox']
    deltas = bbox_pred.view(3, 4, 5, 25, 25).permute(0, 3, 4, 2, 1)
    each = 1.2 * (deltas.reshape(3, -1, 4) - targets).abs() * weights
    assert each.sum() > 0.1
    assert_close(found, getattr(each, reduction)())


def test_hard_negatives_are_chosen_by_the_networks_scores(
        rpn_head, make_sample):
    """Where a look-alike scores, the loss is a large one."""
    gt = make_sample(anchor_box(2, 12, 12), True).search_gt_instances
    cls_score, bbox_pred = torch.zeros(1, 10, 25, 25), torch.zeros(
        1, 20, 25, 25)
    cls_score[:, :5] = 8.
    cls_score[:, 5:, 3, 20] = 20.  # five anchors of one cell
    losses = []
    for hard_fraction in (0., .5):
        rpn_head.sampler = build_sampler(hard_fraction=hard_fraction)
        torch.manual_seed(0)
        # The target's anchors score nothing in both.
        losses.append(
            float(
                rpn_head.loss_by_feat(cls_score, bbox_pred, None, [gt],
                                      [])['loss_rpn_cls']))
    assert losses[1] - losses[0] > .5 * 12 * 5 / 48 * .6


def test_hard_negatives_need_the_batchs_assigner(rpn_head, make_sample):
    rpn_head.sampler = build_sampler(
        hard_fraction=.5, add_gt_as_proposals=True)
    gt = make_sample(anchor_box(2, 12, 12), True).search_gt_instances
    with pytest.raises(ValueError, match='hard_fraction'):
        rpn_head.get_targets([gt], (25, 25))


@pytest.fixture
def iou_head(rpn_head):
    rpn_head.loss_iou = MODELS.build(
        dict(type='mmdet.GIoULoss', reduction='sum', loss_weight=2.))
    return rpn_head


def test_overlap_loss_is_that_of_the_decoded_boxes(iou_head, make_sample):
    bbox = [100., 95., 170., 160.]
    cls_score = torch.zeros(1, 10, 25, 25)
    gt = make_sample(bbox, True).search_gt_instances

    def loss(said):
        return iou_head.loss_by_feat(cls_score, perfect_deltas(iou_head, said),
                                     None, [gt], [{}])['loss_rpn_iou']

    assert_close(loss(bbox), torch.tensor(0.), atol=1e-4, rtol=0)
    # Half of the box, in it: GIoU is IoU. Every positive anchor says so, and
    # the loss is their mean, times the weight.
    half = [100., 95., 135., 160.]
    assert_close(loss(half), torch.tensor(2 * 0.5), atol=1e-4, rtol=0)


def test_overlap_loss_without_a_positive_pair(iou_head, make_sample):
    gt = make_sample([100., 95., 170., 160.], False).search_gt_instances
    bbox_pred = torch.randn(1, 20, 25, 25, requires_grad=True)
    losses = iou_head.loss_by_feat(
        torch.zeros(1, 10, 25, 25), bbox_pred, None, [gt], [{}])
    losses['loss_rpn_iou'].backward()
    assert losses['loss_rpn_iou'] == 0 and not bbox_pred.grad.any()


# -- a teacher -----------------------------------------------------------


@pytest.fixture
def taught_head(small_config):
    model = small_config.model
    cfg = model.head.copy()
    cfg.update(
        in_channels=[8, 8],
        train_cfg=model.train_cfg.rpn,
        loss_teacher=dict(type='TeacherBoxLoss', loss_weight=2.))
    return MODELS.build(cfg)


def taught(sample, *boxes):
    """Instances of a pair to which a teacher says boxes, side by side."""
    instances = sample.search_gt_instances
    instances.teacher_scores = torch.ones(1, 15, 15)
    columns = torch.arange(15) * len(boxes) // 15
    instances.teacher_bboxes = torch.tensor(boxes)[columns].expand(
        1, 15, 15, 4)
    return instances


BOX = [100., 95., 170., 160.]


@pytest.mark.parametrize('said', [BOX, [104., 91., 173., 158.]])
def test_the_teachers_box_has_no_loss(taught_head, make_sample, said):
    """Where it differs a little from the annotation, the teacher's counts."""
    gts = [taught(make_sample(BOX, True), said)] * 2

    def loss(box):
        return taught_head.loss_by_feat(
            torch.zeros(2, 10, 25, 25),
            perfect_deltas(taught_head, box).expand(2, -1, -1, -1), None, gts,
            [{}, {}])['loss_rpn_teacher']

    assert_close(loss(said), torch.tensor(0.), atol=1e-4, rtol=0)
    # Its left half: by half of the overlap and, weighing half, by half of the
    # width; a mean over anchors and images.
    x1, y1, x2, y2 = said
    half = [x1, y1, (x1 + x2) / 2, y2]
    assert_close(loss(half), torch.tensor(2 * (.5 + .5 * .5)), atol=1e-3,
                 rtol=0)


def test_each_anchor_learns_the_box_of_its_place(taught_head, make_sample):
    left, right = [90., 95., 160., 160.], [110., 95., 180., 160.]
    gt = taught(make_sample(BOX, True), left, right)

    def loss(bbox_pred):
        return taught_head.loss_by_feat(
            torch.zeros(1, 10, 25, 25), bbox_pred, None, [gt],
            [{}])['loss_rpn_teacher']

    # The teacher's middle cell says the left one, the next one, two columns
    # of ours further, the right one; half way it is between them.
    deltas = perfect_deltas(taught_head, left)
    assert loss(deltas) > .1
    deltas[..., 13] = perfect_deltas(taught_head, BOX)[..., 13]
    deltas[..., 14:] = perfect_deltas(taught_head, right)[..., 14:]
    assert_close(loss(deltas), torch.tensor(0.), atol=1e-4, rtol=0)


@pytest.mark.parametrize('positive, said', [(False, BOX),
                                            (True, [10., 20., 60., 70.])])
def test_what_teaches_nothing(taught_head, make_sample, positive, said):
    """Two objects; and where the annotation says something else."""
    gt = taught(make_sample(BOX, positive), said)
    bbox_pred = torch.randn(1, 20, 25, 25, requires_grad=True)
    losses = taught_head.loss_by_feat(
        torch.zeros(1, 10, 25, 25), bbox_pred, None, [gt], [{}])
    losses['loss_rpn_teacher'].backward()
    assert losses['loss_rpn_teacher'] == 0 and not bbox_pred.grad.any()


def test_pairs_without_a_teachers_labels_are_refused(
        taught_head, make_sample):
    gts = [taught(make_sample(BOX, True), BOX),
           make_sample(BOX, True).search_gt_instances]
    with pytest.raises(ValueError, match='TeacherLabels.*pipeline'):
        taught_head.loss_by_feat(
            torch.zeros(2, 10, 25, 25), torch.zeros(2, 20, 25, 25), None, gts,
            [{}, {}])


def test_class_loss_reads_channels_as_tracking_does(rpn_head, make_sample):
    gt = make_sample(anchor_box(3, 10, 14), True).search_gt_instances
    labels = rpn_head.get_targets([gt], (25, 25))[0][0]
    rpn_head.sampler.num = 4 * 25 * 25 * 5  # sampling leaves nothing out
    positive = labels.view(25, 25, 5).permute(2, 0, 1).float()
    logits = 20 * (2 * positive - 1)
    cls_score = torch.cat([-logits, logits])[None]
    bbox_pred = torch.zeros(1, 20, 25, 25)
    losses = rpn_head.loss_by_feat(cls_score, bbox_pred, None, [gt], [{}])
    assert losses['loss_rpn_cls'] < 1e-4
    losses = rpn_head.loss_by_feat(-cls_score, bbox_pred, None, [gt], [{}])
    assert losses['loss_rpn_cls'] > 10
    ranking = rank(cls_score[0].numpy(), np.ones((3125, 4)), 0., (40., 80.),
                   0.04, 0.44)
    # Anchor 3, of the cell that the target is in.
    assert ranking.score[(3 * 25 + 10) * 25 + 14] > .99


@pytest.mark.parametrize('labels', [(1, 1), (0, 0), (1, 0)])
def test_losses_of_any_mix_of_pairs_are_finite(rpn_head, make_sample, labels):
    zs = tuple(torch.randn(2, 8, 7, 7) for _ in range(2))
    xs = tuple(torch.randn(2, 8, 31, 31) for _ in range(2))
    samples = [
        make_sample([90., 80., 150., 160.], labels[0]),
        make_sample([30., 20., 120., 70.], labels[1])
    ]
    losses = rpn_head.loss_by_feat(
        *rpn_head(zs, xs), None, [s.search_gt_instances for s in samples],
        [s.metainfo for s in samples])
    assert set(losses) == {'loss_rpn_cls', 'loss_rpn_bbox'}
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses['loss_rpn_cls'] > 0
    assert (losses['loss_rpn_bbox'] > 0) == any(labels)
    sum(losses.values()).backward()
    for name, parameter in rpn_head.named_parameters():
        assert parameter.grad is not None, name


def test_negative_pairs_train_cells_around_the_distractor(
        rpn_head, make_sample):
    gt = make_sample(anchor_box(2, 6, 18), False).search_gt_instances
    labels, weights, _, target_weights = rpn_head.get_targets([gt], (25, 25))
    assert not labels.any() and not target_weights.any()
    used = weights[0].view(25, 25, 5).nonzero()
    assert len(used) == 16
    assert (used[:, 0] - 6).abs().max() <= 4
    assert (used[:, 1] - 18).abs().max() <= 4


@torch.no_grad()
def test_branches_together_give_the_same(rpn_head):
    torch.manual_seed(0)
    for module in rpn_head.eval().modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(.5, 2.)
            module.running_mean.normal_()
    zs, xs = ((torch.randn(2, 8, size, size), ) * 2 for size in (7, 31))

    def check(expected):
        for found, value in zip(rpn_head(zs, xs), expected):
            assert_close(found, value, rtol=1e-4, atol=1e-4)

    expected = rpn_head(zs, xs)
    prepare_for_inference(rpn_head)
    check(expected)
    # As averaged weights are swapped in.
    weight = rpn_head.reg_heads[1].search_convs.conv.weight
    weight.data = weight.data * 2
    prepare_for_inference(rpn_head, fast=False)
    changed = rpn_head(zs, xs)
    prepare_for_inference(rpn_head)
    check(changed)
    assert not torch.equal(changed[1], expected[1])
