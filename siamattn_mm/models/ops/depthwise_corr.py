"""Depth-wise cross-correlation whose gradient is fast on every device."""
import contextlib
from typing import Any, ContextManager, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


def _direct(x: Tensor) -> ContextManager:
    """On a GPU, PyTorch's own kernel for one channel a group.

    cuDNN, which half precision would go to, has a group for each channel of
    each image of a batch: thousands.
    """
    if x.is_cuda:
        return torch.backends.cudnn.flags(enabled=False)
    return contextlib.nullcontext()


def _correlate(search: Tensor,
               kernel: Tensor,
               padding: Tuple[int, int] = (0, 0)) -> Tensor:
    """Each channel of each image with its own kernel, as a grouped conv."""
    num, channels, height, width = kernel.shape
    if num == 1:  # not through reshape(), which would change the layout
        return F.conv2d(
            search,
            kernel.reshape(channels, 1, height, width),
            padding=padding,
            groups=channels)
    with _direct(search):
        out = F.conv2d(
            search.reshape(1, num * channels, *search.shape[2:]),
            kernel.reshape(num * channels, 1, height, width),
            padding=padding,
            groups=num * channels)
    return out.view(num, channels, *out.shape[2:])


class _DepthwiseCorr(Function):
    """Gradients as two more correlations.

    What PyTorch does for the gradient of a conv with one channel per group
    and a large kernel takes ten times as long on a CPU.
    """

    @staticmethod
    def forward(ctx: Any, search: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(search, kernel)
        return _correlate(search, kernel)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, Tensor]:
        search, kernel = ctx.saved_tensors
        grad_search = grad_kernel = None
        if ctx.needs_input_grad[0]:
            reach = kernel.shape[2] - 1, kernel.shape[3] - 1
            grad_search = _correlate(grad, kernel.flip(2, 3), reach)
        if ctx.needs_input_grad[1]:
            grad_kernel = _correlate(search, grad)
        return grad_search, grad_kernel


def depthwise_corr(search: Tensor, kernel: Tensor) -> Tensor:
    """Correlate template with search features, channel by channel.

    The numbers of mmtrack's ``depthwise_correlation``.

    Args:
        search (Tensor): (N, C, H, W).
        kernel (Tensor): Template features, (N, C, h, w), not larger.

    Returns:
        Tensor: (N, C, H - h + 1, W - w + 1).

    Raises:
        ValueError: If the shapes do not fit each other.
    """
    if (search.dim() != 4 or kernel.dim() != 4
            or search.shape[:2] != kernel.shape[:2]
            or search.shape[2] < kernel.shape[2]
            or search.shape[3] < kernel.shape[3]):
        raise ValueError(
            'search (N, C, H, W) and kernel (N, C, h, w) must have the same N '
            f'and C, and h <= H, w <= W, but got {tuple(search.shape)} and '
            f'{tuple(kernel.shape)}')
    if not (search.requires_grad or kernel.requires_grad):
        return _correlate(search, kernel)
    return _DepthwiseCorr.apply(search, kernel)
