"""Refinement: sampled RoIs, cropped masks, losses."""
import math

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import bbox_overlaps
from mmengine.config import ConfigDict
from mmtrack.registry import MODELS
from torch.testing import assert_close

from siamattn_mm.models.heads.refinement_rois import (
    SampledRoIs,
    crop_masks,
    scaled_rois,
)

CHANNELS = 8


def config(**kwargs):
    def roi_layer(size, scale):
        return dict(
            type='DeformRoIPooling',
            output_size=size,
            fc_channels=8,
            spatial_scale=scale)

    cfg = dict(
        type='RefinementHead',
        box_fusion=dict(
            type='CorrelationFusion',
            in_channels=[CHANNELS],
            out_channels=CHANNELS),
        mask_fusion=dict(
            type='MaskFeatureFusion',
            in_channels=[4, 6, CHANNELS],
            out_channels=CHANNELS),
        box_head=dict(
            type='RefineBoxHead',
            in_channels=CHANNELS,
            fc_channels=16,
            roi_layer=roi_layer(4, 25 / 255)),
        mask_head=dict(
            type='RefineMaskHead',
            in_channels=CHANNELS,
            conv_channels=CHANNELS,
            roi_layer=roi_layer(16, 63 / 255)))
    cfg.update(kwargs)
    return ConfigDict(cfg)


@pytest.fixture
def head():
    return MODELS.build(config())


@pytest.fixture
def feats():
    return (torch.randn(3, CHANNELS, 25, 25),
            torch.randn(3, CHANNELS, 63, 63))


def proposals_around(gt_bboxes, num=60, spread=25.):
    """cxcywh proposals, some on the target and some not."""
    gt = torch.tensor(gt_bboxes)
    boxes = torch.cat([(gt[:, :2] + gt[:, 2:]) / 2, gt[:, 2:] - gt[:, :2]], 1)
    return boxes[:, None] + torch.randn(len(gt), num, 4) * spread


GT = [[80., 90., 160., 150.], [60., 60., 130., 200.], [100., 20., 180., 90.]]

# -- fusion --------------------------------------------------------------


def test_fused_features(head):
    zs = (torch.randn(2, CHANNELS, 7, 7), )
    xs = (torch.randn(2, CHANNELS, 31, 31), )
    low = (torch.randn(2, 4, 125, 125), torch.randn(2, 6, 63, 63))
    fused_box, fused_mask = head.eval()(zs, xs, low)
    assert fused_box.shape == (2, CHANNELS, 25, 25)
    assert fused_mask.shape == (2, CHANNELS, 63, 63)
    assert_close(fused_box, head.box_fusion(zs, xs))
    assert_close(fused_mask, head.mask_fusion(low, xs, fused_box))


@pytest.mark.parametrize('source, in_channels', [
    ('correlation', [4, 6, CHANNELS]), ('search', [4, 6, CHANNELS])])
def test_the_masks_feature_alone(source, in_channels, monkeypatch):
    head = MODELS.build(config(mask_fusion=dict(
        type='MaskFeatureFusion', in_channels=in_channels,
        out_channels=CHANNELS, source=source))).eval()
    zs = (torch.randn(2, CHANNELS, 7, 7), )
    xs = (torch.randn(2, CHANNELS, 31, 31), )
    low = (torch.randn(2, 4, 125, 125), torch.randn(2, 6, 63, 63))
    fused_mask = head(zs, xs, low)[1]
    if source == 'search':  # what the box alone needs is not computed
        monkeypatch.delattr(type(head.box_fusion), 'forward')
    assert_close(head.fuse_mask(zs, xs, low), fused_mask)


def test_without_a_mask_head_boxes_only(feats):
    head = MODELS.build(config(mask_fusion=None, mask_head=None))
    assert not head.with_mask and not hasattr(head, 'loss_mask')
    zs = (torch.randn(2, CHANNELS, 7, 7), )
    xs = (torch.randn(2, CHANNELS, 31, 31), )
    assert head(zs, xs, ())[1] is None
    losses = head.loss((feats[0], None), proposals_around(GT),
                       torch.tensor(GT), torch.ones(3).bool(), [None] * 3)
    assert set(losses) == {'loss_refine_box', 'proposal_iou', 'refined_iou'}


@pytest.mark.parametrize('part', ['mask_fusion', 'mask_head'])
def test_mask_parts_go_together(part):
    with pytest.raises(ValueError, match='mask_fusion and mask_head'):
        MODELS.build(config(**{part: None}))


@pytest.mark.parametrize('given, taken', [(3, 0), (0, 3), (3, 4)])
def test_fusion_and_mask_head_agree_about_details(given, taken):
    cfg = config()
    cfg.mask_fusion.detail_channels = given
    if taken:
        roi_layer = dict(cfg.mask_head.roi_layer, output_size=32)
        cfg.mask_head.detail = dict(in_channels=taken, roi_layer=roi_layer)
    with pytest.raises(ValueError, match=f'{given} channels.*takes {taken} '):
        MODELS.build(cfg)


# -- prediction ----------------------------------------------------------


def test_predict_box_pools_from_the_first_to_the_last_pixel(
        head, feats, monkeypatch):
    seen = []

    def predict_delta(fused_box, rois):
        seen.append(rois)
        return torch.tensor([[1., -2., 0., math.log(2) / .2], [0.] * 4])

    monkeypatch.setattr(head, 'predict_delta', predict_delta)
    box = torch.tensor([[100., 120., 40., 60.], [0., 254., 10., 254.]])
    found = head.predict_box(feats[0][:2], box)
    assert_close(seen[0], torch.tensor([[0., 80.5, 90.5, 119.5, 149.5],
                                        [1., -4.5, 127.5, 4.5, 380.5]]))
    assert_close(found[0], torch.tensor([104., 108., 40., 120.]))
    assert_close(found[1], box[1])


def test_predict_delta_and_mask_are_the_heads(head, feats):
    rois = torch.tensor([[0, 20., 30., 120., 140.], [2, 50., 60., 90., 99.]])
    head.eval()
    assert_close(
        head.predict_delta(feats[0], rois), head.box_head(feats[0], rois))
    assert_close(
        head.predict_mask(feats[1], rois), head.mask_head(feats[1], rois))


# -- RoIs ----------------------------------------------------------------


def test_sixteen_rois_that_overlap_enough_per_positive_image(head):
    positive = torch.tensor([True, False, True])
    proposals = proposals_around(GT, num=300, spread=10.)
    found = head.sample_rois(proposals, torch.tensor(GT), positive)
    assert found.rois[:, 0].tolist() == [0] * 16 + [2] * 16
    assert_close(found.gt_bboxes, torch.tensor(GT)[[0] * 16 + [2] * 16])
    overlaps = bbox_overlaps(
        found.rois[:, 1:], found.gt_bboxes, is_aligned=True)
    assert overlaps.min() >= 0.5
    # Enough proposals overlap here: none is drawn twice.
    assert len(found.rois.unique(dim=0)) == 32


def test_rois_are_drawn_at_random_from_all(head):
    proposals = proposals_around(GT[:1], num=300, spread=10.)
    args = proposals, torch.tensor(GT[:1]), torch.tensor([True])
    first, second = (head.sample_rois(*args).rois for _ in range(2))
    assert not torch.equal(first, second)
    torch.manual_seed(3)
    first = head.sample_rois(*args).rois
    torch.manual_seed(3)
    assert torch.equal(first, head.sample_rois(*args).rois)


def test_few_rois_repeat_and_include_the_ground_truth(head):
    gt = torch.tensor(GT[:1])
    good = [122., 118., 84., 62.]
    proposals = torch.tensor([[good, [20., 20., 30., 30.]]])
    rois = head.sample_rois(proposals, gt, torch.tensor([True])).rois
    kinds = {tuple(row) for row in rois[:, 1:].tolist()}
    assert len(rois) == 16
    assert kinds == {tuple(GT[0]), (80., 87., 164., 149.)}
    counts = [int((rois[:, 1:] == torch.tensor(k)).all(1).sum())
              for k in kinds]
    assert counts == [8, 8]


def test_ground_truth_is_there_when_nothing_else_is(head):
    gt = torch.tensor(GT[:1])
    far = torch.full((1, 5, 4), 10.)
    found = head.sample_rois(far, gt, torch.tensor([True]))
    assert_close(found.rois[:, 1:], gt.expand(16, 4))


@pytest.mark.parametrize('width', [1e-4, 0.3, 3.])
def test_tiny_ground_truth_is_its_own_roi(head, feats, width):
    gt = torch.tensor([[100., 100., 100. + width, 100. + width]])
    positive = torch.tensor([True])
    found = head.sample_rois(torch.rand(1, 9, 4) * 99, gt, positive)
    assert_close(found.rois[:, 1:], gt.expand(16, 4))
    losses = head.loss((feats[0][:1], feats[1][:1]), torch.rand(1, 9, 4) * 99,
                       gt, positive, [torch.ones(255, 255)])
    assert all(torch.isfinite(value) for value in losses.values())


@pytest.mark.parametrize('gt', [[100., 100., 100., 150.],
                                [100., 100., 150., 100.],
                                [100., 100., 90., 150.]])
def test_ground_truth_without_area_gives_no_roi(head, feats, gt):
    gts = torch.tensor([gt, GT[1]])
    proposals = proposals_around(GT[:2])
    positive = torch.tensor([True, True])
    found = head.sample_rois(proposals, gts, positive)
    assert found.rois[:, 0].tolist() == [1] * 16
    masks = [torch.ones(255, 255)] * 2
    losses = head.loss((feats[0][:2], feats[1][:2]), proposals, gts, positive,
                       masks)
    assert all(torch.isfinite(value) for value in losses.values())


def test_proposals_are_clipped_before_they_are_compared(head):
    """Centre into [0, 254], size into [10, 254]."""
    gt = torch.tensor([[243., 120., 261., 130.]])
    proposals = torch.tensor([[[400., 125., 18., 2.]]])
    rois = head.sample_rois(proposals, gt, torch.tensor([True])).rois
    assert {tuple(row) for row in rois[:, 1:].tolist()
            } == {(243., 120., 261., 130.), (245., 120., 263., 130.)}


def test_no_positive_image_gives_no_roi(head):
    found = head.sample_rois(
        proposals_around(GT), torch.tensor(GT), torch.zeros(3).bool())
    assert isinstance(found, SampledRoIs)
    assert found.rois.shape == (0, 5) and found.gt_bboxes.shape == (0, 4)


def test_train_cfg_sets_number_and_overlap():
    head = MODELS.build(
        config(train_cfg=dict(num_rois=4, pos_iou_thr=0.8)))
    found = head.sample_rois(
        proposals_around(GT, 300, 10.), torch.tensor(GT), torch.ones(3) > 0)
    assert len(found.rois) == 12
    assert bbox_overlaps(
        found.rois[:, 1:], found.gt_bboxes, is_aligned=True).min() >= 0.8


def test_rois_grow_around_their_centres():
    rois = torch.tensor([[0., 10., 20., 30., 60.], [3., -4., 0., 4., 2.]])
    assert_close(scaled_rois(rois, 1.5),
                 torch.tensor([[0., 5., 10., 35., 70.],
                               [3., -6., -.5, 6., 2.5]]))
    assert torch.equal(scaled_rois(rois, 1), rois)


# -- losses --------------------------------------------------------------


def test_box_loss_by_hand(head, feats, monkeypatch):
    """Smooth L1 of normalised deltas: sum over coordinates, mean over RoIs."""
    sampled = SampledRoIs(
        torch.tensor([[0, 80., 90., 120., 130.], [2, 50., 50., 90., 90.]]),
        torch.tensor([[84., 90., 124., 130.], [50., 38., 90., 78.]]))
    monkeypatch.setattr(head, 'sample_rois', lambda *args: sampled)
    monkeypatch.setattr(head, 'predict_delta',
                        lambda feat, rois: torch.zeros(len(rois), 4))
    monkeypatch.setattr(
        head, '_loss_mask', lambda *args: dict())
    losses = head.loss(feats, None, None, None, None)
    # Targets: dx = 4 / 40 / .1 = 1 -> 0.5; dy = -12 / 40 / .1 = -3 -> 2.5.
    assert_close(losses['loss_refine_box'], torch.tensor((0.5 + 2.5) / 2))
    iou = [36 / 44, 28 / 52]
    assert_close(losses['proposal_iou'], torch.tensor(sum(iou) / 2))
    assert_close(losses['refined_iou'], losses['proposal_iou'])


def test_perfect_deltas_have_no_loss_and_full_overlap(head, feats,
                                                      monkeypatch):
    rois = torch.tensor([[0, 80., 90., 120., 130.]])
    gt = torch.tensor([[70., 85., 140., 120.]])
    monkeypatch.setattr(head, 'sample_rois', lambda *args: SampledRoIs(
        rois, gt, (0, )))
    target = head.box_head.encode(
        torch.tensor([[100., 110., 40., 40.]]),
        torch.tensor([[105., 102.5, 70., 35.]]))
    monkeypatch.setattr(head, 'predict_delta', lambda feat, rois: target)
    losses = head.loss(feats, None, None, None, [None] * 3)
    assert losses['loss_refine_box'] < 1e-6
    assert losses['refined_iou'] > 0.9999 > losses['proposal_iou']


def test_overlap_loss_is_the_mean_over_rois(feats, monkeypatch):
    head = MODELS.build(
        config(loss_iou=dict(type='mmdet.GIoULoss', loss_weight=3.)))
    rois = torch.tensor([[0, 80., 90., 120., 130.], [1, 80., 90., 120., 130.]])
    gt = torch.tensor([[80., 90., 120., 130.], [80., 90., 100., 130.]])
    monkeypatch.setattr(head, 'sample_rois', lambda *args: SampledRoIs(
        rois, gt, (0, 1)))
    monkeypatch.setattr(head, 'predict_delta',
                        lambda feat, rois: torch.zeros(len(rois), 4))
    losses = head.loss(feats, None, None, None, [None] * 3)
    assert_close(losses['loss_refine_iou'], torch.tensor(3 * (0. + .5) / 2))
    monkeypatch.undo()
    losses = head.loss(feats, proposals_around(GT), torch.tensor(GT),
                       torch.zeros(3).bool(), [None] * 3)
    assert losses['loss_refine_iou'] == 0


def perfect_masks(head, mask, monkeypatch):
    """Let a head see one mask in three images; the RoIs it was asked for."""
    seen = []

    def predict_mask(fused_mask, rois):
        seen.append(rois)
        # Boxes count from pixel centres.
        edges = rois + torch.tensor([0, .5, .5, .5, .5])
        return 40 * crop_masks(mask[None].expand(3, -1, -1), edges,
                               (64, 64)) - 20

    monkeypatch.setattr(head, 'predict_mask', predict_mask)
    return seen


def test_mask_loss_is_of_images_with_a_mask_and_at_the_roi(
        head, feats, drawn_mask, monkeypatch):
    mask = torch.from_numpy(drawn_mask)
    seen = perfect_masks(head, mask, monkeypatch)
    args = (feats, proposals_around(GT), torch.tensor(GT),
            torch.tensor([True, True, False]))
    losses = head.loss(*args, [None, mask, mask])
    assert seen[0][:, 0].eq(1).all() and len(seen[0]) == 16
    assert losses['loss_refine_mask'] < 1e-6
    assert losses['mask_iou'] == 1
    # The opposite mask overlaps nowhere.
    losses = head.loss(*args, [None, 1 - mask, mask])
    assert losses['loss_refine_mask'] > 10 and losses['mask_iou'] == 0


def test_masks_of_rois_that_are_larger(feats, drawn_mask, monkeypatch):
    head = MODELS.build(config(train_cfg=dict(mask_scale=1.5)))
    mask = torch.from_numpy(drawn_mask)
    seen = perfect_masks(head, mask, monkeypatch)
    # The ground truth is the only RoI.
    losses = head.loss(feats, torch.full((3, 5, 4), 10.), torch.tensor(GT),
                       torch.tensor([False, True, False]), [None, mask, None])
    # 60..130 and 60..200, by a quarter of its sides larger on each side.
    assert_close(seen[0][0], torch.tensor([1., 42.5, 25., 147.5, 235.]))
    assert losses['loss_refine_mask'] < 1e-6 and losses['mask_iou'] == 1


@pytest.mark.parametrize('masks', [2, 0])
def test_loss_of_whole_masks_is_the_mean_over_rois(feats, drawn_mask, masks,
                                                   monkeypatch):
    head = MODELS.build(
        config(
            loss_dice=dict(type='mmdet.DiceLoss', loss_weight=3.),
            train_cfg=dict(num_rois=4)))
    mask = torch.from_numpy(drawn_mask)
    perfect_masks(head, mask, monkeypatch)
    # Of two images, one has the opposite mask.
    known = [mask, 1 - mask, None] if masks else [None] * 3
    losses = head.loss(feats, proposals_around(GT), torch.tensor(GT),
                       torch.ones(3).bool(), known)
    expected = 3 * (0. + 1.) / 2 if masks else 0.
    assert float(losses['loss_refine_dice']) == pytest.approx(
        expected, abs=0.02)


def test_logged_overlaps_are_no_losses(head, feats):
    head.train_cfg['num_rois'] = 3
    losses = head.loss(feats, proposals_around(GT), torch.tensor(GT),
                       torch.ones(3).bool(), [torch.ones(255, 255)] * 3)
    assert set(losses) == {'loss_refine_box', 'loss_refine_mask',
                           'proposal_iou', 'refined_iou', 'mask_iou'}
    for name in ('proposal_iou', 'refined_iou', 'mask_iou'):
        assert 'loss' not in name and not losses[name].requires_grad
        assert 0 <= losses[name] <= 1
    assert losses['proposal_iou'] >= 0.5


BATCHES = dict(
    all_positive_with_masks=([1, 1, 1], [1, 1, 1]),
    mixed=([1, 0, 1], [0, 1, 1]),
    only_a_negative_has_a_mask=([1, 0, 1], [0, 1, 0]),
    no_masks=([1, 1, 0], [0, 0, 0]),
    negatives_only=([0, 0, 0], [1, 0, 1]))


@pytest.mark.parametrize('batch', list(BATCHES))
def test_any_batch_has_finite_losses_and_gradients_everywhere(
        head, feats, drawn_mask, batch):
    """Distributed training wants a gradient for every parameter."""
    head.train_cfg['num_rois'] = 3
    positive, with_mask = BATCHES[batch]
    feats = tuple(feat.requires_grad_() for feat in feats)
    masks = [torch.from_numpy(drawn_mask) if m else None for m in with_mask]
    losses = head.loss(feats, proposals_around(GT), torch.tensor(GT),
                       torch.tensor(positive) > 0, masks)
    assert {'loss_refine_box', 'loss_refine_mask'} <= set(losses)
    assert all(torch.isfinite(value) for value in losses.values())
    any_positive = any(positive)
    any_mask = any(p and m for p, m in zip(positive, with_mask))
    assert (losses['loss_refine_box'] > 0) == any_positive
    assert (losses['loss_refine_mask'] > 0) == any_mask
    assert ('refined_iou' in losses) == any_positive
    assert ('mask_iou' in losses) == any_mask

    (losses['loss_refine_box'] + losses['loss_refine_mask']).backward()
    heads = dict(box_head=any_positive, mask_head=any_mask)
    for part, trained in heads.items():
        total = 0.
        for name, parameter in getattr(head, part).named_parameters():
            assert parameter.grad is not None, f'{part}.{name}'
            total += float(parameter.grad.abs().sum())
        assert np.isfinite(total) and (total > 0) == trained
    for feat in feats:
        assert feat.grad is not None


def test_training_the_head_reduces_its_losses(head, drawn_mask):
    head.train_cfg['num_rois'] = 2
    zs = (torch.randn(2, CHANNELS, 7, 7), )
    xs = (torch.randn(2, CHANNELS, 31, 31), )
    low = (torch.randn(2, 4, 125, 125), torch.randn(2, 6, 63, 63))
    proposals = proposals_around(GT[:2])
    masks = [torch.from_numpy(drawn_mask)] * 2
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    history = []
    for _ in range(6):
        torch.manual_seed(2)  # the same RoIs
        losses = head.loss(head(zs, xs, low), proposals,
                           torch.tensor(GT[:2]), torch.ones(2) > 0, masks)
        loss = losses['loss_refine_box'] + losses['loss_refine_mask']
        history.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in head.named_parameters():
            assert parameter.grad is not None, name
        optimizer.step()
    assert history[-1] < 0.9 * history[0], history
