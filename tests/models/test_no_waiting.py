"""Guards for GPUs that need none: mmcv's operators, devices, waiting.

Tensors on PyTorch's ``meta`` device stand for those on a GPU: whatever asks
for their numbers, or mixes them with the CPU's, fails.
"""
import sys
from pathlib import Path

import mmcv.ops  # noqa: F401  (so that its modules are there)
import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from torch.utils._python_dispatch import TorchDispatchMode

from siamattn_mm.models.ops import DeformConvPack, mmcv_ops

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


class Kernels:
    """Stands for mmcv's compiled operators, and complains as CUDA's do."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):

        def kernel(*tensors, im2col_step=1, **kwargs):
            tensors = [t for t in tensors if t.numel()]
            assert all(t.is_contiguous() for t in tensors), name
            assert {t.dtype for t in tensors} == {torch.float32}, name
            assert len({t.device for t in tensors}) == 1, name
            assert len(tensors[0]) % im2col_step == 0, name
            self.calls.append((name, len(tensors[0])))

        return kernel


@pytest.fixture
def kernels(monkeypatch):
    found = Kernels()
    # By their paths: the package has functions of the same names.
    for name in ('mmcv.ops.deform_conv', 'mmcv.ops.deform_roi_pool'):
        monkeypatch.setattr(sys.modules[name], 'ext_module', found)
    monkeypatch.setattr(mmcv_ops, 'usable', lambda tensor: True)
    return found


@pytest.mark.parametrize('num', [1, 33, 40, 64])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16,
                                   torch.float16])
def test_deformable_conv_gets_what_its_kernel_takes(kernels, num, dtype):
    layer = DeformConvPack(4, 4, 3, padding=1).to('meta', dtype)
    x = torch.empty(num, 4, 9, 9, device='meta', dtype=dtype)
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    out = layer(x)
    assert out.shape == x.shape and out.dtype == dtype
    out.contiguous(memory_format=torch.channels_last).sum().backward()
    forward = [n for name, n in kernels.calls if name.endswith('forward')]
    assert sum(forward) == num and len(forward) <= 2
    assert any('backward' in name for name, _ in kernels.calls)


@pytest.mark.parametrize('num', [1, 33, 40])
def test_mmcvs_cpu_operator_takes_any_layout_and_batch(num):
    plain = DeformConvPack(4, 6, 3, padding=1, bias=False, vectorized=False)
    torch.nn.init.normal_(plain.conv_offset.weight)
    x = torch.randn(num, 4, 9, 9)
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    out = plain(x)
    out.square().sum().backward()
    grad, x.grad = x.grad, None
    plain.vectorized = True
    other = plain(x)
    other.square().sum().backward()
    torch.testing.assert_close(out, other, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(grad, x.grad, rtol=1e-3, atol=1e-3)


def test_operators_name_devices_that_differ():
    x = torch.zeros(1, 1, 3, 3)
    with pytest.raises(ValueError, match='one device.*cpu.*meta'):
        mmcv_ops.deform_conv2d(x, x.new_zeros(1, 2, 3, 3).to('meta'), x)


class NoWaiting(TorchDispatchMode):
    """Fails at copies between devices that the host waits for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten._to_copy.default:
            there = torch.device(kwargs.get('device') or args[0].device)
            assert (there.type == args[0].device.type
                    or kwargs.get('non_blocking')), 'a copy is waited for'
        return func(*args, **kwargs)


def batch(num):
    """Positive and negative pairs, with and without masks, on the CPU."""
    samples = []
    for i in range(num):
        instances = InstanceData(
            bboxes=torch.tensor([[90., 80., 150., 160.]]),
            labels=torch.tensor([int(i % 5 > 0)]),
            teacher_scores=torch.ones(1, 15, 15),
            teacher_bboxes=torch.full((1, 15, 15, 4), 100.))
        if i % 2:
            mask = np.ones((1, 255, 255), np.uint8)
            instances.masks = BitmapMasks(mask, 255, 255)
        samples.append(TrackDataSample())
        samples[-1].search_gt_instances = instances
    frames = {
        key: torch.zeros(num, 1, 3, size, size, dtype=torch.uint8)
        for key, size in (('img', 127), ('search_img', 255))
    }
    return dict(inputs=frames, data_samples=samples)


TRAINED = [
    'siamattn/siamattn_mobilenetv2_cpu-10e.py',
    'siamattn/siamattn_mobilenetv2_cpu-mask.py',
    'siamattn/siamattn_r50_paper_8xb28-20e_full.py',
    'siamattn/siamattn_r50_released_8xb28-20e_full.py',
    'reuse/siamattn_r50_fpn.py',
    *sorted(f'siamattn/ablation/{p.name}'
            for p in (CONFIGS / 'siamattn/ablation').glob('*.py')),
]


def _meta_knows_all():
    try:
        torch.empty(3, device='meta').kthvalue(1)
    except NotImplementedError:  # PyTorch 2.0
        return False
    return True


@pytest.mark.skipif(
    not _meta_knows_all(), reason='the meta device lacks an operator')
@pytest.mark.parametrize('name', TRAINED)
def test_losses_and_gradients_wait_for_nothing(name, kernels):
    check_step(Config.fromfile(CONFIGS / name).model)


@pytest.mark.skipif(
    not _meta_knows_all(), reason='the meta device lacks an operator')
def test_a_teachers_loss_waits_for_nothing():
    config = Config.fromfile(CONFIGS / TRAINED[0]).model
    config.head.loss_teacher = dict(type='TeacherBoxLoss')
    losses = check_step(config)
    assert losses['loss_rpn_teacher'].device.type == 'meta'


def check_step(config):
    """From the batch to the gradients, on no device but the model's."""
    with torch.device('meta'):
        model = MODELS.build(config)
    model = model.to('meta').train()
    model.data_preprocessor._device = torch.device('meta')

    def step():
        data = model.data_preprocessor(batch(7), training=True)
        losses = model.loss(data['inputs'], data['data_samples'])
        total = sum(value for key, value in losses.items() if 'loss' in key)
        return losses, total

    step()  # makes what is kept from then on
    with NoWaiting():
        losses, total = step()
    assert total.device.type == 'meta'
    total.backward()
    assert any(p.grad is not None for p in model.parameters())
    return losses
