"""Every stage of the released network against the reference's numbers."""
import contextlib
import os
import os.path as osp
import shutil
import tempfile

import numpy as np
import pytest
import torch
from mmengine.config import Config
from released_network import errors_of, run_stages, stored_stages
from torch.utils._python_dispatch import TorchDispatchMode

from siamattn_mm.apis import init_tracker

TOLERANCE = 1e-3


# Of bfloat16, in standard deviations.
BF16_TOLERANCE = 0.1


@pytest.fixture(scope='module', params=['pair0', 'pair1'])
def stored(request, golden):
    return stored_stages(golden, request.param)


@pytest.fixture(scope='module')
def compiled_model(released_file):
    """Backbone and RPN head by torch.compile."""
    if not (shutil.which('g++') or shutil.which('c++')):
        pytest.skip('torch.compile needs a C++ compiler')
    config, path = released_file
    config = Config.fromfile(config)
    config.model.test_cfg.compile = True
    model = init_tracker(config, str(path)).model
    # What init() does; under its inference mode all would compile twice.
    model.prepare()
    with pytest.MonkeyPatch.context() as patch:
        # Inductor takes what it finds there, compiled for another part of
        # the CPU's instructions (ATEN_CPU_CAPABILITY): it gives NaN then.
        patch.setenv(
            'TORCHINDUCTOR_CACHE_DIR',
            osp.join(
                tempfile.gettempdir(), f'torchinductor_{os.getuid()}_'
                f'{torch.backends.cpu.get_cpu_capability()}'))
        yield model


def check_every_stage(found, stored):
    worst = errors_of(found, stored, TOLERANCE)
    assert max(worst.values()) <= 1, worst


def test_every_stored_stage_is_close(released_tracker, stored):
    check_every_stage(run_stages(released_tracker.model, stored), stored)


def test_torch_compile_is_close(compiled_model, stored):
    check_every_stage(run_stages(compiled_model, stored), stored)


class RoundedProducts(TorchDispatchMode):
    """Products of bfloat16 in single precision, rounded as a CPU does.

    Where a CPU has none, PyTorch's own take a minute for each forward.
    """

    PRODUCTS = ('convolution', 'mm', 'bmm', 'addmm', 'baddbmm')

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func.overloadpacket.__name__ not in self.PRODUCTS or not any(
                isinstance(arg, torch.Tensor) and arg.dtype is torch.bfloat16
                for arg in args):
            return func(*args, **kwargs)
        args = [
            arg.float() if isinstance(arg, torch.Tensor) else arg
            for arg in args
        ]
        return func(*args, **kwargs).bfloat16()


def test_bfloat16_is_near(released_tracker, stored):
    model = released_tracker.model
    if not model.paths.fast:
        pytest.skip('the plain way is for single precision')
    products = contextlib.nullcontext()
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        products = RoundedProducts()
    with torch.autocast('cpu', torch.bfloat16), products:
        found = run_stages(model, stored)
    errors = {}
    for name, value in found.items():
        expected = stored[name]
        difference = value.float().numpy() - expected
        errors[name] = float(np.sqrt(np.mean(difference**2)) / expected.std())
    print({name: f'{error:.4f}' for name, error in errors.items()})
    assert max(errors.values()) <= BF16_TOLERANCE, errors
