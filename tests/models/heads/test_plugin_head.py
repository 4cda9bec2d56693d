"""Our neck and refinement behind mmtrack's interface of a head."""
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close

CHANNELS = 8
ORI_SHAPE = (240, 320)


def config(small_config, **kwargs):
    model = small_config.model
    rpn_head = model.head.copy()
    rpn_head.in_channels = [CHANNELS]
    cfg = dict(
        type='SiamAttnPluginHead',
        rpn_head=rpn_head,
        siamese_neck=dict(type='DSANeck', in_channels=[CHANNELS]),
        refine_head=dict(
            type='RefinementHead',
            box_fusion=dict(
                type='CorrelationFusion',
                in_channels=[CHANNELS],
                out_channels=CHANNELS),
            box_head=dict(
                type='RefineBoxHead',
                in_channels=CHANNELS,
                fc_channels=16,
                roi_layer=dict(
                    type='DeformRoIPooling',
                    output_size=4,
                    fc_channels=8,
                    spatial_scale=25 / 255))),
        train_cfg=model.train_cfg.rpn,
        test_cfg=model.test_cfg.rpn)
    cfg.update(kwargs)
    return ConfigDict(cfg)


@pytest.fixture
def head(small_config):
    return MODELS.build(config(small_config))


@pytest.fixture
def feats():
    return ((torch.randn(1, CHANNELS, 7, 7), ),
            (torch.randn(1, CHANNELS, 31, 31), ))


def sample_of_frame():
    return [TrackDataSample(metainfo=dict(ori_shape=ORI_SHAPE))]


def test_forward_is_the_neck_and_the_rpn_head(head, feats):
    head.eval()
    found = head(*feats)
    expected = head.rpn_head(*head.siamese_neck(*feats))
    for a, b in zip(found, expected):
        assert_close(a, b)
    assert found[0].shape == (1, 10, 25, 25)


@pytest.mark.parametrize('positive', [True, False])
def test_losses_are_the_rpns_and_the_refinements(head, feats, make_sample,
                                                 positive):
    losses = head.loss(*feats, [make_sample([90., 90., 150., 170.], positive)])
    assert {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_refine_box'} <= set(losses)
    assert 'loss_refine_mask' not in losses
    assert all(torch.isfinite(value) for value in losses.values())
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name


def test_without_refinement_no_refinement_loss(small_config, feats,
                                               make_sample):
    head = MODELS.build(config(small_config, refine_head=None))
    losses = head.loss(*feats, [make_sample([90., 90., 150., 170.], True)])
    assert set(losses) == {'loss_rpn_cls', 'loss_rpn_bbox'}


def scripted(head, monkeypatch, rpn_box, refine):
    """The RPN says ``rpn_box`` (xyxy, image); record what is refined."""
    seen = []
    monkeypatch.setattr(
        head.rpn_head, 'predict_by_feat', lambda *args, **kwargs: [
            InstanceData(
                bboxes=torch.tensor([rpn_box]), scores=torch.tensor([.9]))
        ])

    def predict_box(fused_box, box):
        seen.append(box.clone())
        return refine(box)

    monkeypatch.setattr(head.refine_head, 'predict_box', predict_box)
    return seen


PREV, SCALE = torch.tensor([160., 120., 50., 40.]), torch.tensor(1.6)


def test_refinement_sees_the_box_in_the_crop(head, feats, monkeypatch):
    seen = scripted(head, monkeypatch, [150., 100., 210., 130.],
                    lambda box: box)
    result, = head.predict(*feats, sample_of_frame(), PREV, SCALE)
    # Centre (180, 115): 20 right of and 5 above the crop's centre, times 1.6.
    assert_close(seen[0],
                 torch.tensor([[127.5 + 32, 127.5 - 8, 60 * 1.6, 30 * 1.6]]))
    assert_close(result.bboxes, torch.tensor([[150., 100., 210., 130.]]))
    assert result.scores.tolist() == pytest.approx([.9])


def test_refined_box_is_mapped_back_into_the_image(head, feats, monkeypatch):
    # 16 crop pixels to the right and twice as high.
    scripted(
        head, monkeypatch, [150., 100., 210., 130.], lambda box: torch.cat(
            [box[:, :2] + torch.tensor([16., 0.]),
             box[:, 2:] * torch.tensor([1., 2.])], 1))
    result, = head.predict(*feats, sample_of_frame(), PREV, SCALE)
    assert_close(result.bboxes, torch.tensor([[160., 85., 220., 145.]]))


def test_refined_box_stays_in_the_image(head, feats, monkeypatch):
    scripted(head, monkeypatch, [150., 100., 210., 130.],
             lambda box: box + torch.tensor([999., -999., -999., 999.]))
    result, = head.predict(*feats, sample_of_frame(), PREV, SCALE)
    x1, y1, x2, y2 = result.bboxes[0].tolist()
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == (320, 0)
    assert (x2 - x1, y2 - y1) == (10, 240)


def test_box_outside_the_crop_is_clipped_into_it(head, feats, monkeypatch):
    seen = scripted(head, monkeypatch, [300., 100., 316., 101.],
                    lambda box: box)
    head.predict(*feats, sample_of_frame(), PREV, SCALE)
    assert_close(seen[0],
                 torch.tensor([[254., 127.5 - 19.5 * 1.6, 16 * 1.6, 10.]]))


def test_without_refinement_the_rpns_box_stays(small_config, feats):
    head = MODELS.build(config(small_config, refine_head=None)).eval()
    args = sample_of_frame(), PREV, SCALE
    found, = head.predict(*feats, *args)
    expected, = head.rpn_head.predict(*head.siamese_neck(*feats), *args)
    assert_close(found.bboxes, expected.bboxes)


def test_a_mask_head_is_refused(small_config):
    cfg = config(small_config)
    cfg.refine_head.mask_head = dict(type='RefineMaskHead')
    with pytest.raises(ValueError, match='mask_head out of refine_head'):
        MODELS.build(cfg)


def test_a_head_that_is_never_trained(small_config, feats):
    cfg = config(small_config, train_cfg=None)
    head = MODELS.build(cfg).eval()
    assert head(*feats)[0].shape == (1, 10, 25, 25)
