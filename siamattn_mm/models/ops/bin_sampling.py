"""What the deformable RoI pooling kernels share: checks and the sampling."""
from typing import Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from .weighted_rows import weighted_rows


def check_output_size(
        output_size: Union[int, Sequence[int]]) -> Tuple[int, int]:
    """Turn an output size into bins per axis.

    Args:
        output_size (int or Sequence[int]): Bins per side, or (height, width).

    Returns:
        tuple[int, int]: Bins per column and per row, (P_h, P_w).

    Raises:
        ValueError: If it is not one or two positive integers.
    """
    size = output_size
    if isinstance(size, int):
        size = (size, size)
    if (not isinstance(size, (tuple, list)) or len(size) != 2
            or not all(isinstance(bins, int) and bins > 0 for bins in size)):
        raise ValueError('output_size must be a positive int or two of them '
                         f'(height, width), but got {output_size!r}')
    return tuple(size)


def check_inputs(input: Tensor, rois: Tensor, offset: Optional[Tensor],
                 output_size: Tuple[int, int]) -> None:
    """Check the tensors of a pooling function.

    Args:
        input (Tensor): Feature maps, (N, C, H, W).
        rois (Tensor): RoIs, (R, 5): batch index, x1, y1, x2, y2.
        offset (Tensor, optional): Offsets, (R, 2, P_h, P_w).
        output_size (tuple[int, int]): (P_h, P_w).

    Raises:
        ValueError: If a shape is wrong, or a RoI's batch index is outside the
            batch. The latter is only looked at on the CPU: elsewhere, looking
            would wait for the device.
    """
    if input.dim() != 4 or not input.is_floating_point():
        raise ValueError('input must be a floating point tensor of shape '
                         f'(N, C, H, W), but got {_describe(input)}')
    if rois.dim() != 2 or rois.shape[1] != 5:
        raise ValueError('rois must have shape (R, 5): batch index, x1, y1, '
                         f'x2, y2, but got {_describe(rois)}')
    expected = (rois.shape[0], 2) + output_size
    if offset is not None and tuple(offset.shape) != expected:
        raise ValueError(f'offset must have shape {expected}: one (x, y) per '
                         f'bin of every RoI, but got {_describe(offset)}')
    if rois.device.type != 'cpu' or torch.jit.is_tracing():
        return
    index = rois[:, 0]
    wrong = (index < 0) | (index >= input.shape[0])
    if wrong.any():
        raise ValueError(
            f'rois have batch indices {index[wrong].unique().tolist()}, but '
            f'input holds {input.shape[0]} image(s)')


def _describe(tensor: Tensor) -> str:
    return f'{tuple(tensor.shape)} of {tensor.dtype}'


def _interpolation(coordinate: Tensor, share: Tensor,
                   size: int) -> Tuple[Tensor, Tensor]:
    """Cells on both sides of samples along one axis, and their weights.

    Args:
        coordinate (Tensor): Samples, (..., S), in cells: cell 0 has its
            centre at 0. Outside the map they take the border's value.
        share (Tensor): Part that every sample has in its bin's mean along
            this axis, (..., S). 0 for samples that do not count.
        size (int): Cells along the axis.

    Returns:
        tuple[Tensor, Tensor]: Cells (long) and weights, both (..., 2 * S).
    """
    clamped = coordinate.clamp(0, size - 1)
    # Samples that do not count may be anywhere, even at NaN: they read cell
    # 0, so that every cell is a valid index.
    lower = clamped.detach().masked_fill(share == 0, 0).floor()
    fraction = clamped - lower
    weight = torch.cat(((1 - fraction) * share, fraction * share), dim=-1)
    lower = lower.long()
    upper = (lower + 1).clamp(max=size - 1)
    return torch.cat((lower, upper), dim=-1), weight


def pool_bins(input: Tensor,
              batch_index: Tensor,
              y: Tensor,
              x: Tensor,
              y_share: Tensor,
              x_share: Tensor,
              optimize: bool = True) -> Tensor:
    """Average bilinear samples over the bins of RoIs.

    The samples of a bin are a grid, so the mean is a sum over cells with
    weights that are products of one factor per axis.

    Args:
        input (Tensor): Feature maps, (N, C, H, W).
        batch_index (Tensor): Image of every RoI, (R,), long.
        y (Tensor): Rows of the samples, in cells, (R, P_h, P_w or 1, S_y).
            Cell 0 has its centre at 0; outside samples take the border's
            value.
        x (Tensor): Columns of the samples, (R, P_h or 1, P_w, S_x).
        y_share (Tensor): Part that every row has in its bin's mean, shape as
            ``y``. 0 for rows that do not count.
        x_share (Tensor): The same for columns, shape as ``x``.
        optimize (bool): False has all samples in memory at once. Defaults to
            True.

    Returns:
        Tensor: Means, (R, C, P_h, P_w), in the type of ``y``. Differentiable
        to ``input``, ``y`` and ``x``.
    """
    channels, height, width = input.shape[1:]
    row, row_weight = _interpolation(y, y_share, height)
    column, column_weight = _interpolation(x, x_share, width)

    row = row + batch_index.view(-1, 1, 1, 1) * height
    # (R, P_h, P_w, cells per column, cells per row)
    cell = row[..., :, None] * width + column[..., None, :]
    weight = row_weight[..., :, None] * column_weight[..., None, :]
    bins = cell.shape[:3]
    # (bins of all RoIs, cells per bin)
    cell = cell.flatten(0, 2).flatten(1)
    weight = weight.flatten(0, 2).flatten(1)

    # (cells of all images, C); sums are slow if C is not contiguous.
    features = input.to(y.dtype).permute(0, 2, 3, 1).contiguous()
    features = features.view(-1, channels)
    if torch.onnx.is_in_onnx_export() or not optimize:
        # ONNX has no embedding_bag: the exporter would unroll all bins.
        output = (features[cell] * weight.unsqueeze(-1)).sum(dim=1)
    else:
        output = weighted_rows(cell, weight, features)
    output = output.view(bins + (channels, ))
    return output.permute(0, 3, 1, 2)
