"""Depth-wise correlation: numbers, gradients, errors."""
import pytest
import torch
from mmtrack.models.track_heads.siamese_rpn_head import (
    depthwise_correlation,
)

from siamattn_mm.models.ops import depthwise_corr


def _pair(dtype=torch.float32):
    search = torch.randn(2, 3, 7, 6, dtype=dtype, requires_grad=True)
    kernel = torch.randn(2, 3, 3, 2, dtype=dtype, requires_grad=True)
    return search, kernel


def test_equals_mmtrack():
    """Output and both gradients are mmtrack's."""
    search, kernel = _pair()
    grad = torch.randn(2, 3, 5, 5)
    ours = depthwise_corr(search, kernel)
    theirs = depthwise_correlation(search, kernel)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, (search, kernel), grad),
        torch.autograd.grad(theirs, (search, kernel), grad))


def test_gradcheck():
    """Gradients are those of the function, also where one is not wanted."""
    search, kernel = _pair(torch.float64)
    assert torch.autograd.gradcheck(depthwise_corr, (search, kernel))
    assert torch.autograd.gradcheck(depthwise_corr,
                                    (search.detach(), kernel))
    assert torch.autograd.gradcheck(depthwise_corr,
                                    (search, kernel.detach()))
    assert torch.autograd.gradgradcheck(depthwise_corr, (search, kernel))


@pytest.mark.parametrize('kernel', [(1, 3, 3, 2), (2, 4, 3, 2), (2, 3, 8, 2),
                                    (3, 3, 2)])
def test_wrong_shapes(kernel):
    """Shapes that do not fit are named."""
    with pytest.raises(ValueError, match='same N and C'):
        depthwise_corr(torch.zeros(2, 3, 7, 6), torch.zeros(kernel))
