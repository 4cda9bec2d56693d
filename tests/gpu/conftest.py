"""Tests on a GPU: `pytest tests/gpu -q -s` prints what they measure.

Without one they are skipped; SIAMATTN_TEST_DEVICE=cpu rehearses them on the
CPU, to the last line.
"""
import os

import pytest
import torch

from siamattn_mm.utils.devices import (
    check_device,
    default_device,
    describe_device,
)

HERE = os.path.dirname(__file__)


def pytest_collection_modifyitems(items):
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope='session')
def device():
    """The GPU, or what SIAMATTN_TEST_DEVICE names."""
    named = os.environ.get('SIAMATTN_TEST_DEVICE')
    if named is None and default_device() == 'cpu':
        pytest.skip('PyTorch sees no GPU that works')
    device = check_device(named)
    print(f'\n{describe_device(device)}')
    return device


@pytest.fixture(autouse=True)
def exact_products(device):
    """No TensorFloat-32, unless a test asks for it."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    matmul.allow_tf32 = cudnn.allow_tf32 = False
    yield
    matmul.allow_tf32, cudnn.allow_tf32 = before
    if device.type == 'cuda':
        torch.cuda.empty_cache()
