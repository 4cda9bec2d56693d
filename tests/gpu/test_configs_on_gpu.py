"""Every config on a GPU: losses, gradients and tracking, in each precision."""
import contextlib

import numpy as np
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

from siamattn_mm.models import SiamAttn

NAMES = [
    'siamattn/siamattn_r50_released', 'siamattn/siamattn_r50_paper',
    'siamattn/siamattn_mobilenetv2', 'siamattn/siamattn_mobilenetv2_cpu-10e',
    'siamattn/siamattn_mobilenetv2_cpu-mask',
    'siamattn/siamattn_r50_paper_8xb28-20e_full',
    'reuse/siamattn_r50_fpn', 'reuse/siamrpn_r50_dsa-neck',
    'reuse/siamrpn_r50_refinement'
] + [
    f'siamattn/ablation/siamattn_{name}'
    for name in ('mobilenetv2_full', 'mobilenetv2_plain',
                 'mobilenetv2_plus-box', 'mobilenetv2_plus-mask',
                 'mobilenetv2_plus-self-attention',
                 'mobilenetv2_plus-cross-attention', 'r50_baseline',
                 'r50_box-only', 'r50_no-cross-attention',
                 'r50_no-refinement', 'r50_no-self-attention',
                 'r50_plain-conv', 'r50_plain-roi-pooling')
]
TYPES = dict(fp16=torch.float16, bf16=torch.bfloat16)
PRECISIONS = ('fp32', 'tf32', 'bf16', 'fp16')


def build(repository, name, device):
    config = Config.fromfile(str(repository / f'configs/{name}.py'))
    init_default_scope('mmtrack')
    config.model.backbone.pop('init_cfg', None)
    torch.manual_seed(0)
    return MODELS.build(config.model).to(device)


def test_no_config_is_forgotten(repository):
    there = {
        str(path.relative_to(repository / 'configs').with_suffix(''))
        for folder in ('siamattn/ablation', 'reuse')
        for path in (repository / 'configs' / folder).glob('*.py')
    }
    assert there <= set(NAMES)


@contextlib.contextmanager
def computing_in(precision, device):
    """Autocast, or TensorFloat-32, or neither."""
    torch.backends.cuda.matmul.allow_tf32 = precision == 'tf32'
    torch.backends.cudnn.allow_tf32 = precision == 'tf32'
    if precision not in TYPES:
        yield
        return
    with torch.autocast(device.type, TYPES[precision]):
        yield


def batch(num, device):
    """As a data preprocessor gives it: crops there, samples on the CPU."""
    generator = torch.Generator().manual_seed(num)
    inputs = {
        key: (torch.rand(num, 1, 3, size, size, generator=generator) *
              255).to(device)
        for key, size in (('img', 127), ('search_img', 255))
    }
    samples = [pair_sample(int(i % 3 < 2), i % 2 == 0) for i in range(num)]
    return inputs, samples


def learn(model, device, num, precision):
    """Losses and gradients of a batch; gives the sum of the losses."""
    model.train()
    model.zero_grad()
    inputs, samples = batch(num, device)
    if not isinstance(model, SiamAttn):  # mmtrack's takes all from there
        samples = [sample.to(device) for sample in samples]
    with computing_in(precision, device):
        total = total_of(model(inputs, samples, mode='loss'))
    total.backward()
    assert not untouched_by_gradients(model)
    total = float(total)
    assert np.isfinite(total)
    return total


def track(model, device, precision):
    """Three frames."""
    with computing_in(precision, device):
        track_noise(model.eval(), 3, device)


@pytest.mark.parametrize('name', NAMES)
def test_losses_gradients_and_tracking(repository, device, name):
    model = build(repository, name, device)
    exact = learn(model, device, 3, 'fp32')
    print(f'{name}: fp32 {exact:.3f}', end='')
    track(model, device, 'fp32')
    for precision in PRECISIONS[1:]:
        torch.manual_seed(0)
        total = learn(model, device, 3, precision)
        print(f' {precision} {total:.3f}', end='')
        # Other anchors are drawn: the same kind of number, no more.
        assert total == pytest.approx(exact, rel=0.5)
        track(model, device, precision)
    print()


@pytest.mark.parametrize('num', [1, 33, 40])
@pytest.mark.parametrize('optimize', [True, False])
def test_any_batch_size(repository, device, num, optimize):
    config = Config.fromfile(
        str(repository / 'configs/siamattn/siamattn_mobilenetv2_cpu-10e.py'))
    init_default_scope('mmtrack')
    config.model.backbone.pop('init_cfg', None)
    config.model.optimize = optimize
    model = MODELS.build(config.model).to(device)
    print(f'{num} pairs, optimize={optimize}: loss '
          f'{learn(model, device, num, "fp32"):.3f}')
