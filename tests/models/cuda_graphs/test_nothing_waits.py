"""What is to be recorded may not wait for the device.

PyTorch's ``meta`` device has no numbers: whatever asks for one fails there,
as it does while a CUDA graph is recorded.
"""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

from siamattn_mm.models.trackers.runtime import TorchRuntime
from siamattn_mm.utils.nested_tensors import tensors_in, with_tensors

FRAME = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)


def on_meta(value):
    return with_tensors(value, (t.to('meta') for t in tensors_in(value)))


@pytest.mark.parametrize('name', [
    'siamattn_mobilenetv2', 'siamattn_mobilenetv2_cpu-10e',
    'siamattn_r50_released', 'siamattn_r50_paper'
])
def test_search_refinement_and_mask(repository, name):
    init_default_scope('mmtrack')
    config = Config.fromfile(
        str(repository / 'configs' / 'siamattn' / f'{name}.py'))
    config.model.backbone.pop('init_cfg', None)
    for head in ('box_head', 'mask_head'):
        layer = config.model.refine_head[head].roi_layer
        # With as many samples as a bin is large, mmcv's kernel does it.
        if layer.get('sampling_ratio') == 0 or name.endswith('paper'):
            layer.sampling_ratio = 2
    model = MODELS.build(config.model).eval()
    session = model.new_session()
    session.start(FRAME, (60., 40., 30., 24.))
    state = session.state
    template, learnt = on_meta(state.template), on_meta(state.learnt)
    model.to('meta')
    runtime = TorchRuntime(model, model.tracking_cfg)
    with torch.inference_mode():
        crops = torch.zeros(1, 255, 255, 3, dtype=torch.uint8, device='meta')
        cls_score, _, responses, _, fused = runtime._search(
            template, crops, [runtime.for_response(learnt)])
        assert cls_score.is_meta
        assert all(r is None or r.is_meta for r in responses)
        boxes = torch.zeros(1, 4, device='meta')
        if fused[0] is not None:
            assert runtime._refine(fused[0], boxes).shape == (1, 4)
        rois = torch.zeros(1, 5, device='meta')
        assert runtime._segment(fused[1], rois).dim() == 3
