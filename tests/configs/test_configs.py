"""Every config builds and runs forward, loss and a tracking step."""
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from narrow_models import narrow

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = sorted(
    str(path.relative_to(REPOSITORY))
    for folder in ('siamattn', 'reuse')
    for path in (REPOSITORY / 'configs' / folder).rglob('*.py')
    # Their models are those of other configs, see test_benchmarks.py.
    if path.parent.name != 'benchmarks')


@pytest.fixture(scope='module', params=CONFIGS)
def model(request):
    config = Config.fromfile(str(REPOSITORY / request.param))
    init_default_scope('mmtrack')
    narrow(config)
    config.model.backbone.pop('init_cfg', None)
    torch.manual_seed(0)
    return MODELS.build(config.model)


def _sample(label, mask):
    box = InstanceData(
        bboxes=torch.tensor([[80., 90., 170., 160.]]),
        labels=torch.tensor([label]))
    if mask:
        pixels = np.zeros((1, 255, 255), np.uint8)
        pixels[:, 90:160, 80:170] = 1
        box.masks = BitmapMasks(pixels, 255, 255)
    return TrackDataSample(search_gt_instances=box, gt_instances=box)


def test_losses_are_finite_and_reach_the_parts(model):
    model.train()
    inputs = dict(
        img=torch.rand(3, 1, 3, 127, 127) * 255,
        search_img=torch.rand(3, 1, 3, 255, 255) * 255)
    samples = [_sample(1, True), _sample(1, False), _sample(0, False)]
    losses = model(inputs, samples, mode='loss')
    total = sum(v for name, v in losses.items() if 'loss' in name)
    assert torch.isfinite(total)
    total.backward()
    missing = [
        name for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
        and not name.startswith('backbone.')
    ]
    assert not missing


def test_a_step_of_tracking(model):
    model.eval()
    frames = np.random.RandomState(0).randint(
        0, 255, (2, 120, 160, 3), dtype=np.uint8)
    for frame_id, frame in enumerate(frames):
        sample = TrackDataSample(
            metainfo=dict(frame_id=frame_id, ori_shape=(120, 160)),
            gt_instances=InstanceData(
                bboxes=torch.tensor([[40., 30., 80., 70.]])))
        image = torch.from_numpy(frame).permute(2, 0, 1)[None, None]
        if not hasattr(model, 'siamese_neck'):
            image = image.float()  # mmtrack's preprocessor does that
        with torch.no_grad():
            out = model(dict(img=image), [sample], mode='predict')[0]
        box = out.pred_track_instances.bboxes
        assert box.shape == (1, 4) and torch.isfinite(box).all()


def test_tensor_mode(model):
    if not hasattr(model, 'siamese_neck'):
        pytest.skip('mmtrack\'s SiamRPN has no tensor mode')
    model.eval()
    with torch.no_grad():
        outs = model(
            dict(
                template=torch.rand(1, 3, 127, 127),
                search=torch.rand(1, 3, 255, 255)),
            mode='tensor')
    assert outs['cls_score'].shape == (1, 10, 25, 25)
    assert outs['bbox_pred'].shape == (1, 20, 25, 25)
    assert len(outs['dsa_x']) == 3
    if model.with_refine_head:
        assert outs['fused_box'].shape[-2:] == (25, 25)
        assert (outs['fused_mask'] is None) != model.refine_head.with_mask
