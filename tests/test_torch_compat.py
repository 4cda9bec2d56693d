"""What PyTorch and numpy do differently, where this one does it."""
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from siamattn_mm import torch_compat


@pytest.fixture(params=['torch here', 'torch 2.0'])
def _torch(request, monkeypatch):
    """This PyTorch, and what 2.0 has of it."""
    if request.param == 'torch 2.0':
        names = ('is_autocast_cpu_enabled', 'get_autocast_cpu_dtype',
                 'is_autocast_enabled', 'get_autocast_gpu_dtype')
        monkeypatch.setattr(
            torch_compat, 'torch',
            SimpleNamespace(**{name: getattr(torch, name) for name in names}))


@pytest.mark.usefixtures('_torch')
@pytest.mark.filterwarnings('ignore:.*is deprecated:DeprecationWarning')
def test_autocast_dtype():
    assert torch_compat.autocast_dtype('cpu') is None
    assert torch_compat.autocast_dtype('cuda') is None
    with torch.autocast('cpu', torch.bfloat16):
        assert torch_compat.autocast_dtype('cpu') is torch.bfloat16
        assert torch_compat.autocast_dtype('cuda') is None
        assert torch_compat.autocast_dtype('meta') is None
        with torch.autocast('cpu', enabled=False):
            assert torch_compat.autocast_dtype('cpu') is None


@pytest.mark.parametrize('old', [False, True])
@pytest.mark.parametrize('weight_grad', [False, True])
@pytest.mark.parametrize('row_grad', [False, True])
def test_embedding_bag(monkeypatch, old, weight_grad, row_grad):
    """Weights may need a gradient without the rows."""
    if old:
        monkeypatch.setattr(torch_compat, '_before', lambda *release: True)
    index = torch.tensor([[0, 2], [1, 1], [2, 0]])
    weight = torch.rand(3, 2, requires_grad=weight_grad)
    rows = torch.rand(3, 4, requires_grad=row_grad)
    out = torch_compat.embedding_bag(index, weight, rows)
    expected = (weight[..., None] * F.embedding(index, rows)).sum(1)
    assert_close(out, expected)
    if weight_grad or row_grad:
        leaves = [x for x in (weight, rows) if x.requires_grad]
        assert_close(
            torch.autograd.grad(out.square().sum(), leaves),
            torch.autograd.grad(expected.square().sum(), leaves))
    empty = torch_compat.embedding_bag(index[:0], weight[:0], rows)
    assert empty.shape == (0, 4)


def test_releases():
    assert not torch_compat._before(2, 0)
    assert torch_compat._before(1000, 0)
