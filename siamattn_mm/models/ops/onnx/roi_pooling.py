"""Deformable RoI pooling as products of matrices.

Both kernels of ``siamattn_mm.models.ops`` find out where their samples lie
and then call ``pool_bins``; this module has a twin of it that becomes
standard ONNX operators. ONNX knows no weighted embedding bag.
"""
from typing import Tuple

import torch
from torch import Tensor

# A number that is gathered takes as long as about so many in a product.
_GATHER_COST = 100


def _cell_weights(coordinate: Tensor, share: Tensor, size: int) -> Tensor:
    """Weights of all cells along one axis, (..., S) to (..., size)."""
    cells = torch.arange(size, dtype=coordinate.dtype)
    distance = coordinate.clamp(0, size - 1).unsqueeze(-1) - cells
    hat = (1 - distance.abs()).clamp(min=0)
    return (hat * share.unsqueeze(-1)).sum(dim=-2)


def _near_cells(coordinate: Tensor, share: Tensor,
                size: int) -> Tuple[Tensor, Tensor]:
    """Cells around samples and their weights, (..., S) to (..., 2 * S)."""
    clamped = coordinate.clamp(0, size - 1)
    lower = clamped.floor()
    fraction = clamped - lower
    cells = torch.cat([lower, (lower + 1).clamp(max=size - 1)], dim=-1)
    weights = torch.cat([(1 - fraction) * share, fraction * share], dim=-1)
    return cells.long(), weights


def pool_bins(input: Tensor,
              batch_index: Tensor,
              y: Tensor,
              x: Tensor,
              y_share: Tensor,
              x_share: Tensor,
              optimize: bool = True) -> Tensor:
    """``siamattn_mm.models.ops.bin_sampling.pool_bins`` for one RoI.

    Without offsets a bin's weights are a row of cells times a column of them
    for whole rows and columns of bins: two small products. With offsets every
    bin has weights of its own over the whole map, unless its samples are so
    few that gathering their cells is cheaper.

    Args:
        input (Tensor): Feature maps, (1, C, H, W).
        batch_index (Tensor): Not used: there is one image.
        y (Tensor): Rows of the samples, in cells, (1, P_h, P_w or 1, S_y).
        x (Tensor): Columns of the samples, (1, P_h or 1, P_w, S_x).
        y_share (Tensor): Part of every row in its bin's mean, as ``y``.
        x_share (Tensor): The same for columns, as ``x``.

    Returns:
        Tensor: Means, (1, C, P_h, P_w).
    """
    channels, height, width = (int(size) for size in input.shape[1:])
    # An exported graph has its maps so: runtimes see that no copy is made.
    maps = input.permute(0, 2, 3, 1)
    y_share, x_share = y_share.to(y.dtype)[0], x_share.to(x.dtype)[0]
    y, x = y[0], x[0]
    if y.shape[1] == 1:
        rows = _cell_weights(y[:, 0], y_share[:, 0], height)
        columns = _cell_weights(x[0], x_share[0], width)
        pooled = rows @ maps.reshape(height, width * channels)
        pooled = columns @ pooled.reshape(-1, width, channels)
        return pooled.permute(2, 0, 1).unsqueeze(0)
    bins = int(y.shape[0]), int(x.shape[1])
    if 4 * y.shape[-1] * x.shape[-1] * _GATHER_COST < height * width:
        row, row_weight = _near_cells(y, y_share, height)
        column, column_weight = _near_cells(x, x_share, width)
        cells = row[..., :, None] * width + column[..., None, :]
        weights = row_weight[..., :, None] * column_weight[..., None, :]
        cells, weights = cells.flatten(0, 1), weights.flatten(0, 1)
        features = maps.reshape(height * width, channels)[cells.flatten(1)]
        pooled = (weights.flatten(1).unsqueeze(1) @ features).squeeze(1)
    else:
        rows = _cell_weights(y, y_share, height).flatten(0, 1)
        columns = _cell_weights(x, x_share, width).flatten(0, 1)
        weights = (rows[:, :, None] * columns[:, None, :]).flatten(1)
        pooled = weights @ maps.reshape(height * width, channels)
    return pooled.t().reshape(1, channels, *bins)


def sub_bin_centres(start: Tensor, length: Tensor, bins: int,
                    sampling_ratio: int) -> Tuple[Tensor, Tensor, Tensor]:
    """``deform_roi_pool._sub_bin_centres`` for one RoI of any size.

    That one's number of samples is a number to Python, which tracing would
    keep for all RoIs; here it stays a tensor.

    Args:
        start (Tensor): First edge of the RoI, (1,), in cells.
        length (Tensor): Its length, (1,), in cells.
        bins (int): Bins P along the axis.
        sampling_ratio (int): Samples per bin; 0 = bin size, rounded up.

    Returns:
        tuple[Tensor, Tensor, Tensor]: First edge of the bins, (1, P), where
        the samples are from there, (1, S), and the part that each has in its
        bin's mean, (1, S).
    """
    bin_size = (length / bins).unsqueeze(1)
    if sampling_ratio > 0:
        sample = torch.arange(sampling_ratio)
        number = torch.full_like(bin_size, sampling_ratio)
        used = torch.ones_like(number)
    else:
        number = bin_size.ceil().clamp(min=1)
        # arange() of a tensor: S may differ from frame to frame.
        sample = torch.arange(number.max().long())
        used = (bin_size > 0).to(number) * (sample < number)
    bin_start = start.unsqueeze(1) + torch.arange(bins) * bin_size
    return bin_start, (sample + 0.5) * bin_size / number, used / number
