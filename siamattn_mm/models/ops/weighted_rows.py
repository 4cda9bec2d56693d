"""Weighted sums of a table's rows, whose gradient is fast on a CPU too."""
from typing import Any, Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from siamattn_mm.torch_compat import embedding_bag


def _scatter(index: Tensor, weight: Tensor, grad: Tensor,
             num_rows: int) -> Tensor:
    """What each row of the table gets: bags again, one per row.

    Transposing the sparse matrix of weights says which sums a row is part of.
    """
    bags, size = index.shape
    starts = np.arange(0, bags * size + 1, size, dtype=np.int32)
    transposed = csr_matrix(
        (weight.numpy().ravel(), index.numpy().ravel(), starts),
        shape=(bags, num_rows)).tocsc()
    return F.embedding_bag(
        torch.from_numpy(transposed.indices),
        grad,
        torch.from_numpy(transposed.indptr),
        mode='sum',
        per_sample_weights=torch.from_numpy(transposed.data),
        include_last_offset=True)


class _WeightedRows(Function):
    """``embedding_bag``, without sorting all indices for the gradient."""

    @staticmethod
    def forward(ctx: Any, index: Tensor, weight: Tensor,
                rows: Tensor) -> Tensor:
        ctx.save_for_backward(index, weight, rows)
        return embedding_bag(index, weight, rows)

    @staticmethod
    @once_differentiable
    def backward(
            ctx: Any,
            grad: Tensor) -> Tuple[None, Optional[Tensor], Optional[Tensor]]:
        index, weight, rows = ctx.saved_tensors
        grad = grad.contiguous()
        grad_weight = grad_rows = None
        if ctx.needs_input_grad[1]:
            with torch.enable_grad():
                leaf = weight.detach().requires_grad_()
                grad_weight, = torch.autograd.grad(
                    embedding_bag(index, leaf, rows.detach()), leaf, grad)
        if ctx.needs_input_grad[2]:
            grad_rows = _scatter(index, weight, grad, len(rows))
        return None, grad_weight, grad_rows


def weighted_rows(index: Tensor, weight: Tensor, rows: Tensor) -> Tensor:
    """Sum rows of a table with weights.

    Nothing of the size of all rows that are read is ever in memory.

    Args:
        index (Tensor): Rows of each sum, (B, S), integers.
        weight (Tensor): Their weights, (B, S), in the type of ``rows``.
        rows (Tensor): The table, (R, C), contiguous.

    Returns:
        Tensor: (B, C). Differentiable, once, to ``weight`` and ``rows``.
    """
    if (rows.device.type != 'cpu' or not index.numel()
            or not torch.is_grad_enabled()):
        return embedding_bag(index, weight, rows)
    return _WeightedRows.apply(index, weight, rows)
