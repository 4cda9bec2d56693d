"""The tracker: state, data samples, losses, initialisation."""
import cv2
import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.heads import Proposal
from siamattn_mm.models.trackers import TrackResult
from siamattn_mm.models.trackers.siamattn import xywh_of

HEIGHT, WIDTH = 120, 160
BOX = (60., 40., 30., 24.)  # xywh


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


@pytest.fixture
def model(small_config):
    return MODELS.build(small_config.model).eval()


@pytest.fixture(scope='module')
def frames():
    """A textured square that moves over noise."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), (5, 5), 0)
    frames = []
    for i in range(4):
        frame = noise.copy()
        x, y = 60 + 3 * i, 40 + 2 * i
        frame[y:y + 24, x:x + 30] = (30, 200, 90)
        frame[y + 6:y + 12, x + 5:x + 25] = (250, 10, 40)
        frames.append(frame)
    return frames


def randomize(model):
    """Attention and offsets that do something."""
    for name, parameter in model.named_parameters():
        if 'alpha' in name or 'gamma' in name:
            nn.init.constant_(parameter, .5)
        elif 'conv_offset' in name or 'offset_fc.4' in name:
            nn.init.normal_(parameter, std=.05)


# -- network -------------------------------------------------------------


def test_tensor_mode_returns_every_stage(model):
    crops = dict(
        template=torch.rand(2, 3, 127, 127) * 255,
        search=torch.rand(2, 3, 255, 255) * 255)
    with torch.no_grad():
        outs = model(crops, mode='tensor')
    assert set(outs) == {
        'cls_score', 'bbox_pred', 'neck_z', 'neck_x', 'dsa_z', 'dsa_x',
        'fused_box', 'fused_mask'
    }
    for name, side in (('neck_z', 7), ('dsa_z', 7), ('neck_x', 32),
                       ('dsa_x', 32)):
        assert [tuple(f.shape) for f in outs[name]] == [(2, 32, side, side)
                                                        ] * 3
    side = outs['cls_score'].shape[-1]
    assert outs['cls_score'].shape == (2, 10, side, side)
    assert outs['bbox_pred'].shape == (2, 20, side, side)
    assert outs['fused_box'].shape == (2, 32, side, side)
    assert outs['fused_mask'].shape == (2, 32, 64, 64)


def test_template_maps_are_cropped_around_their_centre(model):
    crop = torch.rand(1, 3, 127, 127)
    with torch.no_grad():
        whole = model.extract_feat(crop)[1]
        centre = model.forward_template(crop)
        model.test_cfg.center_size = None
        kept = model.forward_template(crop)
    assert whole[0].shape[-1] == 16
    for feat, part, full in zip(whole, centre, kept):
        assert_close(part, feat[..., 4:11, 4:11])
        assert_close(full, feat)


@pytest.mark.parametrize('key', ['template', 'search'])
def test_tensor_mode_names_a_missing_input(model, key):
    crops = dict(template=torch.rand(1, 3, 127, 127),
                 search=torch.rand(1, 3, 255, 255))
    del crops[key]
    with pytest.raises(ValueError, match=f"inputs lack \\['{key}'\\]"):
        model(crops, mode='tensor')


# -- tracking ------------------------------------------------------------


def test_track_before_init(model, frames):
    with pytest.raises(RuntimeError, match=r'before init\(\)'):
        model.track(frames[0])


def test_results_of_a_few_frames(model, frames):
    model.init(frames[0], BOX)
    for frame in frames[1:]:
        result = model.track(frame)
        assert isinstance(result, TrackResult)
        assert result.bbox.shape == (4, ) and result.bbox.dtype == np.float64
        assert np.isfinite(result.bbox).all() and 0 <= result.score <= 1
        x, y, w, h = result.bbox
        assert 0 <= x + w / 2 <= WIDTH - 1 and 0 <= y + h / 2 <= HEIGHT - 1
        assert 10 <= w <= WIDTH - 1 and 10 <= h <= HEIGHT - 1
        assert result.pasted_mask.full().shape == (HEIGHT, WIDTH)
        assert result.polygon.shape == (4, 2)


def test_tracking_is_deterministic_and_starts_afresh(model, frames):
    def run():
        model.init(frames[0], BOX)
        return [model.track(frame) for frame in frames[1:]]

    for first, second in zip(run(), run()):
        np.testing.assert_array_equal(first.bbox, second.bbox)
        assert first.score == second.score
        np.testing.assert_array_equal(first.pasted_mask.full(),
                                      second.pasted_mask.full())


def test_template_state_kept_over_frames_changes_nothing(model, frames):
    randomize(model)
    model.init(frames[0], BOX)
    assert model._state.neck_state is not None
    kept = [model.track(frame) for frame in frames[1:]]
    model.init(frames[0], BOX)
    for frame, expected in zip(frames[1:], kept):
        model._state = model._state._replace(neck_state=None)
        found = model.track(frame)
        np.testing.assert_allclose(found.bbox, expected.bbox, atol=1e-4)
        assert found.score == pytest.approx(expected.score, abs=1e-6)


def test_without_refinement_the_proposal_is_the_box(small_config, frames,
                                                    monkeypatch):
    small_config.model.refine_head = None
    model = MODELS.build(small_config.model).eval()
    model.init(frames[0], BOX)
    proposal = Proposal(np.array([10., -5., 50., 60.]), score=.8, penalty=.5)
    monkeypatch.setattr(model.head, 'select_proposal', lambda *args: proposal)
    result = model.track(frames[1])
    assert result.pasted_mask is None and result.polygon is None
    assert result.score == .8
    # By hand, from the spec: state, scale, smoothing of the size alone.
    cx, cy, w, h = 60 + 29 / 2, 40 + 23 / 2, 30., 24.
    s_z = np.sqrt((w + 27) * (h + 27))
    scale = 127 / s_z
    side = round(s_z * 255 / 127)
    lr = .8 * .5 * .4
    centre = [(c + 127.5) / scale + origin - side / 2
              for c, origin in ((10, cx), (-5, cy))]
    size = [w * (1 - lr) + 50 / scale * lr, h * (1 - lr) + 60 / scale * lr]
    expected = [centre[0] - size[0] / 2, centre[1] - size[1] / 2, *size]
    np.testing.assert_allclose(result.bbox, expected, rtol=1e-12)


def test_box_only_refinement(small_config, frames):
    small_config.model.refine_head.mask_fusion = None
    small_config.model.refine_head.mask_head = None
    model = MODELS.build(small_config.model).eval()
    model.init(frames[0], BOX)
    result = model.track(frames[1])
    assert result.pasted_mask is None and result.polygon is None


def test_the_proposals_box_with_a_mask(small_config, frames, monkeypatch):
    model = MODELS.build(small_config.model).eval()
    monkeypatch.setattr(model.refine_head, 'predict_box',
                        lambda fused, box: box * 0 + 100.)
    corners = []
    for refine in (True, False):
        model.test_cfg.refine.box = refine
        model.init(frames[0], BOX)
        result = model.track(frames[1])
        assert result.pasted_mask is not None
        corners.append(result.bbox[:2])
    assert not np.allclose(*corners)


@pytest.fixture
def filtered(small_config):
    """A model that has a correlation filter."""
    config = small_config.model
    config.correlation_filter = dict(type='CorrelationFilter')
    config.test_cfg.rpn.filter_influence = 0.9
    config.test_cfg.refine.box = False
    return MODELS.build(config).eval()


def test_a_filter_needs_a_share(small_config):
    small_config.model.correlation_filter = dict(type='CorrelationFilter')
    with pytest.raises(ValueError, match='filter_influence'):
        MODELS.build(small_config.model)


def test_a_filter_leads_to_the_target(filtered, frames, monkeypatch):
    """Where the network sees nothing at all."""
    monkeypatch.setattr(
        filtered.head, 'forward', lambda z, x:
        (torch.zeros(1, 10, 25, 25), torch.zeros(1, 20, 25, 25)))
    filtered.init(frames[0], BOX)
    for frame in frames[1:]:
        x, y, w, h = filtered.track(frame).bbox
    # Whoever does not look stays where the target was, 11 pixels away.
    assert abs(x + w / 2 - (BOX[0] + 9 + BOX[2] / 2)) < 4
    assert abs(y + h / 2 - (BOX[1] + 6 + BOX[3] / 2)) < 4


@pytest.mark.parametrize('min_score, learns', [(0., True), (1.1, False)])
def test_a_filter_learns_from_good_frames(filtered, frames, min_score,
                                          learns):
    filtered.correlation_filter.min_score = min_score
    filtered.init(frames[0], BOX)
    before = filtered._state.filter_state
    filtered.track(frames[1])
    after = filtered._state.filter_state
    assert torch.equal(before.numerator, after.numerator) is not learns


@pytest.mark.parametrize('hold_score, moves', [(0., True), (1.1, False)])
def test_a_poor_result_is_reported_but_not_followed(small_config, frames,
                                                    hold_score, moves):
    small_config.model.test_cfg.rpn.hold_score = hold_score
    model = MODELS.build(small_config.model).eval()
    model.init(frames[0], BOX)
    before = model._state.box
    result = model.track(frames[1])
    assert (model._state.box != before).any() is np.bool_(moves)
    assert (result.bbox[2:] != before[2:]).any() or (
        result.bbox[:2] + result.bbox[2:] / 2 != before[:2]).any()


@pytest.mark.parametrize('recover_score, recovers', [(None, True),
                                                     (0.95, False)])
def test_what_is_lost_takes_a_better_score_to_come_back(
        small_config, frames, monkeypatch, recover_score, recovers):
    small_config.model.test_cfg.rpn.hold_score = 0.3
    if recover_score is not None:
        small_config.model.test_cfg.rpn.recover_score = recover_score
    model = MODELS.build(small_config.model).eval()
    scores = []

    def select(*args):
        return Proposal(np.array([8., 4., 40., 30.]), scores.pop(0), 1.)

    monkeypatch.setattr(model.head, 'select_proposal', select)

    def moves(score):
        before = model._state.box
        scores.append(score)
        model.track(frames[1])
        return (model._state.box != before).any()

    model.init(frames[0], BOX)
    # A frame or two are a hidden target, no more.
    assert [moves(s) for s in (.9, .1, .1, .5)] == [True, False, False, True]
    assert not any(moves(.1) for _ in range(3))
    assert moves(.9) is np.bool_(recovers)
    assert moves(.96)
    assert moves(.5)


def test_the_first_frame_says_how_boxes_differ(small_config, frames,
                                               monkeypatch):
    """A head that sees all boxes 1.2 times too wide and too far right."""
    config = small_config.model
    config.test_cfg.rpn.calibration = 0.5
    model = MODELS.build(config).eval()
    x, y, w, h = BOX
    truth = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])

    def biased(cls_score, bbox_pred, size, response, bias):
        assert bias is None  # until it is known
        box, scale = model._state.box, size[0] / model._state.box[2]
        bbox = truth * scale
        bbox[:2] -= box[:2] * scale
        bbox = bbox * (1, 1, 1.2, 1) + (.1 * bbox[2], 0, 0, 0)
        return Proposal(bbox, 1., 1.)

    monkeypatch.setattr(model.head, 'select_proposal', biased)
    model.init(frames[0], BOX)
    np.testing.assert_allclose(model._state.bias,
                               [.05, 0, np.log(1.2) / 2, 0], atol=1e-9)
    np.testing.assert_allclose(model._state.box, truth)


def test_what_the_first_frame_teaches_corrects_later_boxes(
        small_config, frames, monkeypatch):
    """A head that always sees the target 1.2 times too wide."""
    config = small_config.model
    config.box_regressor = dict(type='RidgeBoxRegressor', regularization=0.01)
    config.test_cfg.refine.box = False
    config.test_cfg.rpn.lr = 1.
    model = MODELS.build(config).eval()
    x, y, w, h = BOX
    truth = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])

    def wide(cls_score, bbox_pred, size, response, bias):
        box, scale = model._state.box, size[0] / model._state.box[2]
        bbox = truth * (1, 1, 1.2, 1) * scale
        bbox[:2] -= box[:2] * scale
        return Proposal(bbox, 1., 1.)

    monkeypatch.setattr(model.head, 'select_proposal', wide)
    model.init(frames[0], BOX)
    np.testing.assert_array_equal(model._state.box, truth)
    # The same picture again, so it is known how wide the target is.
    found = model.track(frames[0]).bbox
    np.testing.assert_allclose(found[2:], [w, h], rtol=0.03)
    # It belongs to this target alone.
    before = model._state.regressor_state
    model.init(frames[1], BOX)
    assert not torch.equal(before, model._state.regressor_state)


def test_a_hidden_target_is_not_the_next_thing_that_looks_like_it(
        small_config, frames, monkeypatch):
    """A head that sees two things, and later only the other one."""
    config = small_config.model
    config.rival_association = dict(type='RivalAssociation')
    config.correlation_filter = dict(type='CorrelationFilter')
    config.test_cfg.rpn.update(filter_influence=0., hold_score=0.3)
    config.test_cfg.refine.box = False
    model = MODELS.build(config).eval()
    x, y, w, h = BOX
    truth = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
    hidden, calls = [], []

    def select(cls_score, bbox_pred, size, response, bias, avoid=None):
        calls.append(avoid)
        state, scale = model._state.box, size[0] / model._state.box[2]
        boxes = np.stack([truth, truth + (1.5 * w, 0, 0, 0)], 1)
        boxes[:2] -= state[:2, None]
        scores = np.array([0. if hidden else .9, .8])
        best = int(np.argmax(scores * (1, avoid is None)))
        return Proposal(boxes[:, best] * scale * (1, 1, 1.3, 1.3),
                        scores[best], 1., best, boxes * scale, scores)

    monkeypatch.setattr(model.head, 'select_proposal', select)
    model.init(frames[0], BOX)
    for _ in range(4):
        result = model.track(frames[1])
    assert abs(result.bbox[0] + result.bbox[2] / 2 - truth[0]) < 1
    hidden.append(True)
    calls.clear()
    before = model._state
    result = model.track(frames[1])
    # The other thing was best, so it looked again.
    assert calls[0] is None and calls[1].shape == (4, 1)
    assert result.score == 0.
    np.testing.assert_array_equal(result.bbox[2:], before.box[2:])
    np.testing.assert_array_equal(model._state.box, before.box)
    assert model._state.filter_state is before.filter_state
    assert model._state.rival_state.missing == 1


@pytest.mark.parametrize('bbox', [
    (-20., -15., 40., 30.),
    (WIDTH - 5., HEIGHT - 5., 60., 60.),
    (80., 60., 0.1, 0.1),
    (0., 0., float(WIDTH), float(HEIGHT)),
])
def test_boxes_at_the_limits_can_be_tracked(model, frames, bbox):
    model.init(frames[0], bbox)
    for frame in frames[1:]:
        assert np.isfinite(model.track(frame).bbox).all()


@pytest.mark.parametrize('shape', [(8, 30), (30, 8), (5, 5)])
def test_image_smaller_than_the_smallest_target(model, shape):
    frame = np.full(shape + (3, ), 128, np.uint8)
    model.init(frame, (1., 1., 3., 3.))
    for _ in range(2):
        x, y, w, h = model.track(frame).bbox
        assert w <= shape[1] - 1 and h <= shape[0] - 1


# -- mmtrack's test loop -------------------------------------------------


def sample_of(frame_id, gt):
    sample = TrackDataSample(metainfo=dict(
        frame_id=frame_id, ori_shape=(HEIGHT, WIDTH)))
    sample.gt_instances = InstanceData(bboxes=torch.tensor([gt]))
    return sample


def step(model, frame, frame_id, gt=(60., 40., 90., 64.)):
    """One frame through the data preprocessor, as the test loop does."""
    frame = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None]
    result, = model.test_step(
        dict(inputs=dict(img=[frame]), data_samples=[sample_of(frame_id, gt)]))
    return result


def test_first_frame_initialises_and_the_next_are_tracked(model, frames):
    first = step(model, frames[0], 0)
    instances = first.pred_track_instances
    assert_close(instances.bboxes, torch.tensor([[60., 40., 90., 64.]]))
    assert instances.scores.tolist() == [-1]
    assert 'masks' not in instances and first.metainfo['track_time'] > 0
    found = [step(model, frame, i) for i, frame in enumerate(frames[1:], 1)]

    model.init(frames[0], BOX)
    for sample, frame in zip(found, frames[1:]):
        expected = model.track(frame)
        instances = sample.pred_track_instances
        assert instances.bboxes.shape == (1, 4)
        x, y, w, h = expected.bbox
        assert_close(instances.bboxes[0],
                     torch.tensor([x, y, x + w, y + h]).float())
        assert instances.scores.tolist() == pytest.approx([expected.score])
        assert instances.masks.dtype == torch.bool
        np.testing.assert_array_equal(instances.masks[0].numpy(),
                                      expected.pasted_mask.full())
        np.testing.assert_array_equal(instances.polygons[0].numpy(),
                                      expected.polygon)
        assert sample.metainfo['track_time'] > 0


def test_a_new_video_starts_with_its_own_target(model, frames):
    step(model, frames[0], 0)
    step(model, frames[1], 1)
    second = (20., 30., 70., 80.)
    assert_close(
        step(model, frames[0], 0, second).pred_track_instances.bboxes[0],
        torch.tensor(second))
    assert model._state.box.tolist() == [44.5, 54.5, 50, 50]


def test_polygon_initialises_its_box(model, frames):
    polygon = (75., 30., 95., 50., 75., 70., 55., 50.)
    result = step(model, frames[0], 0, polygon)
    x, y, w, h = xywh_of(np.array(polygon))
    assert_close(result.pred_track_instances.bboxes[0],
                 torch.tensor([x, y, x + w, y + h]).float())
    np.testing.assert_allclose(model._state.box[:2], [75, 50])


def test_several_frames_at_once_are_refused(model, frames):
    frame = torch.from_numpy(frames[0]).permute(2, 0, 1)[None]
    for images in (torch.stack([frame, frame]), frame):
        with pytest.raises(ValueError, match='one frame at a time'):
            model(dict(img=images), [sample_of(0, BOX)], mode='predict')


def test_a_frame_needs_its_number(model, frames):
    sample = TrackDataSample()
    sample.gt_instances = InstanceData(bboxes=torch.tensor([BOX]))
    frame = torch.from_numpy(frames[0]).permute(2, 0, 1)[None, None]
    with pytest.raises(ValueError, match='no frame_id'):
        model(dict(img=frame), [sample], mode='predict')


# -- regions -------------------------------------------------------------


def test_xywh_of_a_box():
    assert xywh_of(np.array([10, 20, 40, 60])).tolist() == [10, 20, 30, 40]


def test_xywh_of_an_upright_polygon_is_its_box_of_pixels():
    polygon = [10, 20, 40, 20, 40, 60, 10, 60]
    assert xywh_of(np.array(polygon)).tolist() == [10, 20, 31, 41]


def test_xywh_of_a_rotated_polygon_keeps_centre_area_and_aspect():
    corners = cv2.boxPoints(((50., 70.), (40., 20.), 30.)).astype(np.float64)
    x, y, w, h = xywh_of(corners)
    assert (x + (w - 1) / 2, y + (h - 1) / 2) == pytest.approx((50, 70),
                                                               abs=1e-4)
    assert (w - 1) * (h - 1) == pytest.approx(800, rel=1e-4)
    extent = corners.max(0) - corners.min(0)
    assert (w - 1) / (h - 1) == pytest.approx(extent[0] / extent[1], rel=1e-4)


def test_xywh_of_anything_else():
    with pytest.raises(ValueError, match='4 numbers.*8.*but got 6'):
        xywh_of(np.arange(6))


# -- training ------------------------------------------------------------


def training_batch(positive, with_mask):
    samples = []
    for is_positive, has_mask in zip(positive, with_mask):
        instances = InstanceData(
            bboxes=torch.tensor([[90., 80., 160., 170.]]),
            labels=torch.tensor([is_positive]))
        if has_mask:
            mask = np.zeros((1, 255, 255), np.uint8)
            mask[0, 90:160, 100:150] = 1
            instances.masks = BitmapMasks(mask, 255, 255)
        sample = TrackDataSample()
        sample.search_gt_instances = instances
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor([[30., 30., 90., 90.]]),
            labels=torch.tensor([is_positive]))
        samples.append(sample)
    count = len(samples)
    return dict(
        inputs=dict(
            img=[
                torch.randint(0, 256, (1, 3, 127, 127), dtype=torch.uint8)
                for _ in range(count)
            ],
            search_img=[
                torch.randint(0, 256, (1, 3, 255, 255), dtype=torch.uint8)
                for _ in range(count)
            ]),
        data_samples=samples)


@pytest.mark.parametrize('positive, with_mask', [
    ([1, 0], [1, 0]),
    ([1, 1], [0, 0]),
    ([0, 0], [0, 1]),
])
def test_losses_reach_every_parameter(small_config, positive, with_mask):
    small_config.model.train_cfg.refine.num_rois = 3
    model = MODELS.build(small_config.model).train()
    data = model.data_preprocessor(training_batch(positive, with_mask), True)
    losses = model(**data, mode='loss')
    assert {
        'loss_rpn_cls', 'loss_rpn_bbox', 'loss_refine_box', 'loss_refine_mask'
    } <= set(losses)
    assert (losses['loss_refine_mask'] > 0) == (
        any(p and m for p, m in zip(positive, with_mask)))
    loss, logs = model.parse_losses(losses)
    assert torch.isfinite(loss)
    assert_close(loss, sum(v for k, v in losses.items() if 'loss' in k))
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


def test_mixed_precision_training(small_config):
    """AMP, with the half precision that a CPU has."""
    small_config.model.train_cfg.refine.num_rois = 3
    model = MODELS.build(small_config.model).train()
    randomize(model)
    data = model.data_preprocessor(training_batch([1, 0], [1, 0]), True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**data, mode='loss')
    loss, _ = model.parse_losses(losses)
    assert torch.isfinite(loss)
    loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert torch.isfinite(parameter.grad).all(), name


def test_proposals_are_decoded_in_crop_pixels(small_config, monkeypatch):
    """The grid's centre cell lies at pixel 127, as in the RPN's targets."""
    model = MODELS.build(small_config.model)
    seen = []
    monkeypatch.setattr(
        model.head, 'forward', lambda z, x:
        (torch.zeros(2, 10, 25, 25), torch.zeros(2, 20, 25, 25)))

    def loss(feats, proposals, gt_bboxes, positive, masks):
        seen.append((proposals, gt_bboxes, positive, masks))
        return {}

    monkeypatch.setattr(model.refine_head, 'loss', loss)
    data = model.data_preprocessor(training_batch([1, 0], [0, 1]), True)
    model(**data, mode='loss')
    proposals, gt_bboxes, positive, masks = seen[0]
    assert proposals.shape == (2, 5 * 625, 4) and not proposals.requires_grad
    assert proposals[0, (2 * 25 + 12) * 25 + 12].tolist() == [127, 127, 64, 64]
    assert proposals[0, 0].tolist() == [31, 31, 104, 32]
    assert gt_bboxes.tolist() == [[90, 80, 160, 170]] * 2
    assert positive.tolist() == [True, False]
    assert masks[0] is None and masks[1].shape == (255, 255)
    assert masks[1].sum() == 70 * 50


def test_torch_compile_gets_plain_parts_once(small_config, frames,
                                             monkeypatch):
    small_config.model.test_cfg.compile = True
    compiled = []
    monkeypatch.setattr(
        nn.Module,
        'compile',
        lambda self, **kwargs: compiled.append((self, kwargs)),
        raising=False)
    model = MODELS.build(small_config.model).eval()
    model.init(frames[0], BOX)
    model.init(frames[1], BOX)
    assert [part for part, _ in compiled] == [model.backbone, model.head]
    assert all(kwargs == dict(dynamic=False) for _, kwargs in compiled)
    assert not model.head.optimize and not model.head.folds_norms
    assert any(
        getattr(part, 'optimize', False)
        for part in model.siamese_neck.modules())
    found = model.track(frames[2])
    small_config.model.test_cfg.compile = False
    other = MODELS.build(small_config.model).eval()
    other.load_state_dict(model.state_dict())
    other.init(frames[1], BOX)
    assert_close(
        found.bbox, other.track(frames[2]).bbox, atol=1e-2, rtol=1e-4)


def test_old_torch_cannot_compile(small_config, monkeypatch):
    small_config.model.test_cfg.compile = True
    monkeypatch.delattr(nn.Module, 'compile', raising=False)
    with pytest.raises(ValueError, match='compile needs PyTorch 2.2 or newer'):
        MODELS.build(small_config.model)


def test_norms_of_frozen_parts_keep_their_statistics(small_config):
    model = MODELS.build(
        dict(
            small_config.model,
            frozen_modules=['neck', 'refine_head.box_fusion']))
    model.train()
    norms = {
        name: module.training
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        and not name.startswith('backbone')
    }
    assert len(norms) > 4 and any(norms.values())
    for name, training in norms.items():
        assert training is not name.startswith(
            ('neck', 'refine_head.box_fusion'))


def test_says_which_part_cannot_be_frozen(small_config):
    with pytest.raises(ValueError, match="'refine_head.boxes'.*'backbone'"):
        MODELS.build(
            dict(small_config.model, frozen_modules='refine_head.boxes'))


def test_frozen_modules_take_no_gradient(small_config):
    model = MODELS.build(
        dict(small_config.model, frozen_modules=['siamese_neck', 'head']))
    for name, parameter in model.named_parameters():
        frozen = name.startswith(('siamese_neck.', 'head.'))
        assert parameter.requires_grad == (not frozen), name


# -- initialisation ------------------------------------------------------


def zero_names(model):
    return {
        name
        for name, value in model.named_parameters()
        if name.endswith(('.alpha', '.gamma', 'offset_fc.4.weight',
                          'offset_fc.4.bias')) or 'conv_offset' in name
    }


def test_init_weights_keeps_what_must_start_at_zero(model):
    names = zero_names(model)
    # Per level: alpha, gamma, offset weight and bias; two offset layers.
    assert len(names) == 3 * 4 + 2 * 2
    before = model.state_dict()
    neck = before['neck.convs.0.conv.weight'].clone()
    fusion = before['refine_head.box_fusion.convs.0.conv.weight'].clone()
    model.init_weights()
    after = model.state_dict()
    for name in names:
        assert not after[name].any(), name
    # mmtrack's way for its own parts; ours keep what they were built with.
    assert not torch.equal(after['neck.convs.0.conv.weight'], neck)
    assert_close(after['refine_head.box_fusion.convs.0.conv.weight'], fusion)


def plain_siamrpn(small_config, conv):
    """mmtrack's SiamRPN with a deformable conv in its head."""
    model = small_config.model
    return MODELS.build(
        ConfigDict(
            type='SiamRPN',
            data_preprocessor=dict(type='TrackDataPreprocessor'),
            backbone=dict(
                model.backbone, out_indices=(2, 3, 4), out_stem=False),
            neck=model.neck,
            head=dict(
                type='SiamAttnPluginHead',
                rpn_head=model.head,
                siamese_neck=dict(
                    type='DSANeck',
                    in_channels=[32] * 3,
                    conv_cfg=dict(type=conv))),
            train_cfg=model.train_cfg,
            test_cfg=model.test_cfg))


def test_mmtracks_init_weights_undoes_mmcvs_zero_offsets(small_config):
    """The trap that DeformConvPack and SiamAttn.init_weights avoid."""
    model = plain_siamrpn(small_config, 'DCN')
    offset = model.head.siamese_neck.levels[0].conv.conv_offset.weight
    assert not offset.any()
    model.init_weights()
    assert offset.any()


def test_our_offsets_stay_zero_inside_mmtracks_siamrpn(small_config):
    model = plain_siamrpn(small_config, 'mmtrack.DeformConvPack')
    model.init_weights()
    for level in model.head.siamese_neck.levels:
        assert not level.conv.conv_offset.weight.any()
        assert not level.conv.conv_offset.bias.any()
        assert not any(
            value.any() for name, value in level.named_parameters()
            if 'gamma' in name)


@pytest.fixture
def pretrained(small_config, tmp_path):
    """Checkpoint of a model whose every weight is 0.25."""
    model = MODELS.build(small_config.model)
    for parameter in model.parameters():
        nn.init.constant_(parameter, .25)
    path = str(tmp_path / 'pretrained.pth')
    torch.save(dict(state_dict=model.state_dict()), path)
    return dict(type='Pretrained', checkpoint=path)


def test_pretrained_weights_of_the_whole_model_come_last(
        small_config, pretrained):
    cfg = small_config.model
    cfg.init_cfg = pretrained
    cfg.siamese_neck.init_cfg = dict(type='Constant', layer='Conv2d', val=9.)
    model = MODELS.build(cfg)
    model.init_weights()
    for name, parameter in model.named_parameters():
        assert (parameter == .25).all(), name


def test_parts_follow_their_own_init_cfg(small_config):
    cfg = small_config.model
    constant = dict(type='Constant', layer='Conv2d', val=.5)
    cfg.siamese_neck.init_cfg = constant
    cfg.refine_head.box_fusion.init_cfg = constant
    model = MODELS.build(cfg)
    model.init_weights()
    for conv in (model.siamese_neck.levels[0].spatial.value_conv,
                 model.refine_head.box_fusion.convs[0].conv):
        assert (conv.weight == .5).all()
    other = model.refine_head.mask_fusion.lateral_convs[0].conv.weight
    assert not (other == .5).any()
