"""Every config builds and runs forward, loss and a tracking step."""
from pathlib import Path

import pytest
import torch
from config_steps import (
    pair_sample,
    total_of,
    track_noise,
    untouched_by_gradients,
)
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS
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


def test_losses_are_finite_and_reach_the_parts(model):
    model.train()
    inputs = dict(
        img=torch.rand(3, 1, 3, 127, 127) * 255,
        search_img=torch.rand(3, 1, 3, 255, 255) * 255)
    samples = [
        pair_sample(*kind) for kind in ((1, True), (1, False), (0, False))
    ]
    total = total_of(model(inputs, samples, mode='loss'))
    assert torch.isfinite(total)
    total.backward()
    assert not untouched_by_gradients(model)


def test_a_step_of_tracking(model):
    track_noise(model.eval(), 2)


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
    assert len(outs['dsa_x']) == len(model.head.cls_heads)
    if model.with_refine_head:
        assert outs['fused_box'].shape[-2:] == (25, 25)
        assert (outs['fused_mask'] is None) != model.refine_head.with_mask
