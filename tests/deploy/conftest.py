"""Models to export: every part of SiamAttn, few channels, random weights."""
import warnings
from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.config import Config

from siamattn_mm.apis import init_tracker


def _pooling(output_size, side):
    return dict(
        _delete_=True,
        type='DeformRoIPooling',
        output_size=output_size,
        spatial_scale=side / 255,
        fc_channels=32)


# Each of them another path through the network.
VARIANTS = dict(
    released={},
    # The number of samples changes with the RoI.
    paper=dict(
        siamese_neck=dict(
            channel_softmax='plain', share_gamma=False, sub_sample=True),
        refine_head=dict(
            box_head=dict(roi_layer=_pooling(4, 25)),
            mask_fusion=dict(
                source='correlation',
                in_channels=[8, 8, 32],
                detail_channels=4),
            mask_head=dict(
                roi_layer=_pooling(16, 63),
                detail=dict(
                    in_channels=4,
                    channels=8,
                    roi_layer=dict(
                        type='DeformRoIPooling',
                        deformable=False,
                        output_size=32,
                        sampling_ratio=1,
                        spatial_scale=1 / 2))))),
    mask_only=dict(
        online=[
            dict(type='BoxCalibration'),
            dict(type='CorrelationFilter', influence=0.3),
            dict(type='RidgeBoxRegressor'),
            dict(type='DistractorAssociation')
        ],
        test_cfg=dict(refine=dict(box=False))),
    siamrpn=dict(
        siamese_neck=dict(_delete_=True, type='IdentitySiameseNeck'),
        refine_head=None))


class Variant(NamedTuple):
    """A config, and the file with its weights."""
    config: Config
    checkpoint: str

    def tracker(self, *args, **kwargs):
        """The tracker in PyTorch."""
        return init_tracker(self.config, self.checkpoint, *args, **kwargs)


@torch.no_grad()
def _randomise(model):
    """Let every path count, and no output saturate."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        # Offsets and attention start at zero.
        if not parameter.any():
            parameter.normal_(0, 0.1, generator=generator)
    outs = model(
        dict(
            template=255 * torch.rand(1, 3, 127, 127, generator=generator),
            search=255 * torch.rand(1, 3, 255, 255, generator=generator)),
        mode='tensor')
    for name, heads in (('cls_score', model.head.cls_heads),
                        ('bbox_pred', model.head.reg_heads)):
        for head in heads:
            head.head_convs[-1].conv.weight /= 2 * outs[name].std()
    if model.with_refine_head:
        model.refine_head.box_head.fc_reg.weight /= outs['fused_box'].std()
        if model.refine_head.with_mask:
            model.refine_head.mask_head.conv_logits.weight /= outs[
                'fused_mask'].std()


@pytest.fixture(scope='session')
def make_variant(small_config_path, tmp_path_factory):
    """Makes one of ``VARIANTS``; each once."""
    made = {}

    def make(name):
        if name not in made:
            config = Config.fromfile(str(small_config_path))
            config.merge_from_dict(dict(model=VARIANTS[name]))
            torch.manual_seed(0)
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                model = init_tracker(config).model
            _randomise(model)
            path = tmp_path_factory.mktemp(name) / 'weights.pth'
            torch.save(model.state_dict(), path)
            made[name] = Variant(config, str(path))
        return made[name]

    return make


@pytest.fixture(scope='session')
def make_export(make_variant, tmp_path_factory):
    """Exports one of ``VARIANTS``; each once."""
    pytest.importorskip('onnx', reason='onnx is not installed')
    from siamattn_mm.deploy.export import export_tracker
    made = {}

    def make(name, deform_conv='operator'):
        key = name, deform_conv
        if key not in made:
            path = str(tmp_path_factory.mktemp('-'.join(key)) / 'model.onnx')
            export_tracker(*make_variant(name), path, deform_conv)
            made[key] = path
        return made[key]

    return make


@pytest.fixture(scope='session')
def frames():
    """Noise with a brighter square that moves."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 128, (5, 120, 160, 3), dtype=np.uint8)
    for i, frame in enumerate(frames):
        frame[40 + 3 * i:70 + 3 * i, 50 + 4 * i:90 + 4 * i] += 100
    return list(frames)
