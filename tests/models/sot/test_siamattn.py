"""The model: its network, losses, fast paths, initialisation."""
import copy

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from torch import nn
from torch.testing import assert_close

from siamattn_mm.apis import init_tracker
from siamattn_mm.models.ops.paths import Paths

BOX = (60., 40., 30., 24.)  # xywh


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


@pytest.mark.parametrize('of_training, expected', [(None, 1.5), (2., 2.)])
def test_masks_are_trained_on_the_rois_of_tracking(
        small_config, monkeypatch, of_training, expected):
    cfg = small_config.model
    cfg.test_cfg.refine.mask_scale = 1.5
    cfg.train_cfg.refine.num_rois = 2
    # Nothing but the ground truth.
    cfg.train_cfg.refine.pos_iou_thr = 1.
    if of_training is not None:
        cfg.train_cfg.refine.mask_scale = of_training
    model = MODELS.build(cfg).train()
    seen = []
    predict = model.refine_head.predict_mask

    def predict_mask(fused, rois):
        seen.append(rois)
        return predict(fused, rois)

    monkeypatch.setattr(model.refine_head, 'predict_mask', predict_mask)
    batch = training_batch([1], [1])
    truth = batch['data_samples'][0].search_gt_instances.bboxes
    model(**model.data_preprocessor(batch, True), mode='loss')
    assert_close(seen[0][0, 3:] - seen[0][0, 1:3],
                 expected * (truth[0, 2:] - truth[0, :2]).to(seen[0]))


def with_details(config):
    """The config, and outlines of masks are corrected."""
    head = config.model.refine_head
    head.mask_fusion.detail_channels = 4
    head.mask_head.detail = dict(
        in_channels=4,
        roi_layer=dict(
            type='DeformRoIPooling',
            deformable=False,
            output_size=32,
            spatial_scale=1 / 2))
    head.loss_dice = dict(type='mmdet.DiceLoss')
    return config


@pytest.mark.parametrize('details', [False, True])
@pytest.mark.parametrize('positive, with_mask', [
    ([1, 0], [1, 0]),
    ([1, 1], [0, 0]),
    ([0, 0], [0, 1]),
])
def test_losses_reach_every_parameter(small_config, positive, with_mask,
                                      details):
    if details:
        with_details(small_config)
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


@pytest.mark.parametrize('mixed', [False, True])
def test_learning_from_a_teacher(small_config, mixed):
    """From the batch to the boxes' branch, and to no other of the head's."""
    small_config.model.head.loss_teacher = dict(type='TeacherBoxLoss')
    model = MODELS.build(small_config.model).train()
    batch = training_batch([1, 0, 1], [0, 0, 0])
    for sample in batch['data_samples']:
        instances = sample.search_gt_instances
        instances.teacher_scores = torch.full((1, 15, 15), .8)
        instances.teacher_bboxes = torch.tensor([88., 83., 161., 168.]).expand(
            1, 15, 15, 4)
    data = model.data_preprocessor(batch, True)
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=mixed):
        losses = model(**data, mode='loss')
    loss = losses['loss_rpn_teacher']
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss) and loss > .01
    loss.backward()
    for name, parameter in model.head.named_parameters():
        learns = parameter.grad is not None and parameter.grad.any()
        assert bool(learns) == name.startswith('reg_'), name


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

    def compile_nothing(self, **kwargs):
        compiled.append((self, kwargs))
        self._compiled_call_impl = self._call_impl

    monkeypatch.setattr(nn.Module, 'compile', compile_nothing, raising=False)
    model = MODELS.build(small_config.model).eval()
    session = model.new_session()
    session.start(frames[0], BOX)
    session.start(frames[1], BOX)
    assert [part for part, _ in compiled] == [model.backbone, model.head]
    assert all(kwargs == dict(dynamic=False) for _, kwargs in compiled)
    assert model.head.paths == model.backbone.paths == Paths(fast=False)
    assert model.siamese_neck.levels[0].paths.fast
    found = session.step(frames[2])
    small_config.model.test_cfg.compile = False
    other = MODELS.build(small_config.model).eval()
    other.load_state_dict(model.state_dict())
    session = other.new_session()
    session.start(frames[1], BOX)
    assert_close(
        found.bbox, session.step(frames[2]).bbox, atol=1e-2, rtol=1e-4)


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


# -- what is refused -----------------------------------------------------


@pytest.mark.parametrize('name, value, said', [
    ('correlation_filter', dict(type='CorrelationFilter'),
     r"model.correlation_filter is now.*model.online: dict\(type='Corr"),
    ('rival_association', None, "type='DistractorAssociation'"),
    ('refine_haed', None, "no 'refine_haed'; did you mean 'refine_head'"),
    ('onlin', [], "did you mean 'online'"),
    ('online', [dict(type='SiamAttnSampler', num=4, pos_fraction=.5)],
     'SiamAttnSampler is no OnlinePart'),
    ('online', [dict(type='TargetPresence')] * 2, 'TargetPresence twice'),
])
def test_arguments_that_are_not_known(small_config, name, value, said):
    small_config.model[name] = value
    with pytest.raises((TypeError, ValueError), match=said):
        MODELS.build(small_config.model)


def test_details_that_the_config_leaves_out(small_config, tmp_path):
    path, plain = str(tmp_path / 'weights.pth'), copy.deepcopy(small_config)
    weights = MODELS.build(with_details(small_config).model).state_dict()
    torch.save(dict(state_dict=weights), path)
    model = init_tracker(plain, path, device='cpu').model
    assert not model.refine_head.with_detail
    own = model.state_dict()
    assert 0 < len(weights) - len(own) == sum('detail' in k for k in weights)
    assert torch.equal(own['refine_head.mask_head.conv_logits.weight'],
                       weights['refine_head.mask_head.conv_logits.weight'])
