"""Deformable RoI pooling with the kernel of the released checkpoints."""
from typing import Optional, Sequence, Tuple, Union

import torch
from mmtrack.registry import MODELS
from torch import Tensor

from .bin_sampling import check_inputs, check_output_size, pool_bins
from .deform_roi_pool_pack import BaseDeformRoIPooling

# A RoI is at least this long, in cells.
_MIN_LENGTH = 0.1


def deform_psroi_pool(input: Tensor,
                      rois: Tensor,
                      offset: Optional[Tensor],
                      output_size: Union[int, Sequence[int]],
                      spatial_scale: float = 1.0,
                      samples_per_bin: int = 4,
                      trans_std: float = 0.1,
                      optimize: bool = True) -> Tensor:
    """Deformable RoI pooling of `Deformable ConvNets
    <https://arxiv.org/abs/1703.06211>`_, without position sensitivity.

    RoI corners are rounded (halves away from zero) and taken as whole units,
    so that the far edges get + 1. Every bin is the mean of a grid of bilinear
    samples at the left and top edges of its sub-bins, moved by the bin's
    offset. Samples more than half a cell outside the map are left out of the
    mean, which is 0 if none is left; others take the border's value. The
    centre of the first cell is at 0.

    It runs in PyTorch on every device: mmcv has no such op.

    Args:
        input (Tensor): Feature maps, (N, C, H, W).
        rois (Tensor): RoIs, (R, 5): batch index, x1, y1, x2, y2, in units of
            1 / ``spatial_scale`` cells. No gradient flows to them.
        offset (Tensor, optional): Offsets of the bins, (R, 2, P_h, P_w),
            channel 0 = x, 1 = y, in units of ``trans_std`` times the RoI's
            size. None pools without offsets.
        output_size (int or Sequence[int]): Bins P_h, P_w of a RoI.
        spatial_scale (float): Cells per unit of ``rois``. Defaults to 1.0.
        samples_per_bin (int): Samples per bin and axis. Defaults to 4.
        trans_std (float): Factor of the offsets. Defaults to 0.1.
        optimize (bool): False has all samples in memory at once. Defaults to
            True.

    Returns:
        Tensor: Pooled features, (R, C, P_h, P_w), in the type of ``input``.
        Coordinates and sums are at least in single precision.

    Raises:
        ValueError: If a shape, ``output_size`` or ``samples_per_bin`` is
            wrong.
    """
    output_size = check_output_size(output_size)
    _check_samples_per_bin(samples_per_bin)
    check_inputs(input, rois, offset, output_size)

    dtype = torch.promote_types(input.dtype, torch.float32)
    rois = rois.detach().to(dtype)
    corners = _round_half_away(rois[:, 1:])
    start = corners[:, :2] * spatial_scale - 0.5
    end = (corners[:, 2:] + 1) * spatial_scale - 0.5
    length = (end - start).clamp(min=_MIN_LENGTH)

    x_bin, x_step = _sub_bin_edges(start[:, 0], length[:, 0], output_size[1],
                                   samples_per_bin)
    y_bin, y_step = _sub_bin_edges(start[:, 1], length[:, 1], output_size[0],
                                   samples_per_bin)
    # (R, P_h or 1, P_w or 1)
    x_bin, y_bin = x_bin.unsqueeze(1), y_bin.unsqueeze(2)
    if offset is not None:
        shift = trans_std * length[:, :, None, None] * offset.to(dtype)
        x_bin, y_bin = x_bin + shift[:, 0], y_bin + shift[:, 1]
    # Rounded corners put samples exactly on the limits of the map, where the
    # order of these sums decides: the bin's edge first, as the kernel does.
    x = x_bin.unsqueeze(-1) + x_step[:, None, None]
    y = y_bin.unsqueeze(-1) + y_step[:, None, None]
    height, width = input.shape[2:]
    output = pool_bins(input, rois[:, 0].long(), y, x,
                       _share_of_kept(y, height), _share_of_kept(x, width),
                       optimize)
    return output.to(input.dtype)


def _round_half_away(value: Tensor) -> Tensor:
    """Round as C does: ``torch.round`` takes halves to the even number."""
    magnitude = value.abs()
    whole = magnitude.floor()
    return value.sign() * (whole + (magnitude - whole >= 0.5))


def _sub_bin_edges(start: Tensor, length: Tensor, bins: int,
                   samples_per_bin: int) -> Tuple[Tensor, Tensor]:
    """Where RoIs are sampled along one axis, before offsets.

    Args:
        start (Tensor): First edge of the RoIs, (R,), in cells.
        length (Tensor): Their length, (R,), in cells.
        bins (int): Bins P along the axis.
        samples_per_bin (int): Samples S per bin.

    Returns:
        tuple[Tensor, Tensor]: First edge of the bins, (R, P), and where the
        samples are from there, (R, S).
    """
    bin_size = (length / bins).unsqueeze(1)
    index = torch.arange(bins, device=start.device)
    sample = torch.arange(samples_per_bin, device=start.device)
    bin_start = start.unsqueeze(1) + index * bin_size
    return bin_start, sample * (bin_size / samples_per_bin)


def _share_of_kept(coordinate: Tensor, size: int) -> Tensor:
    """Part of each sample in the mean over those near the map, (..., S)."""
    kept = (coordinate >= -0.5) & (coordinate <= size - 0.5)
    number = kept.sum(dim=-1, keepdim=True).clamp(min=1)
    return kept / number.to(coordinate.dtype)


def _check_samples_per_bin(samples_per_bin: int) -> None:
    if not isinstance(samples_per_bin, int) or samples_per_bin < 1:
        raise ValueError('samples_per_bin must be a positive int, but got '
                         f'{samples_per_bin!r}')


@MODELS.register_module()
class DeformPSRoIPooling(BaseDeformRoIPooling):
    """Deformable RoI pooling with the kernel of the released checkpoints.

    See :class:`BaseDeformRoIPooling` for how offsets are found, and
    :func:`deform_psroi_pool` for the kernel.

    Args:
        output_size (int or Sequence[int]): Bins P_h, P_w of a RoI.
        spatial_scale (float): Cells per unit of the RoIs.
        in_channels (int): Channels C of the feature maps.
        samples_per_bin (int): Samples per bin and axis. Defaults to 4.
        trans_std (float): Factor of the offsets. Defaults to 0.1.
        fc_channels (int): Width of the layers that give the offsets. Defaults
            to 1024.
        deformable (bool): Whether to use offsets at all. Defaults to True.
        init_cfg (dict, optional): mmengine's. Defaults to None.

    Raises:
        ValueError: If an argument is not positive.
    """

    def __init__(self,
                 output_size: Union[int, Sequence[int]],
                 spatial_scale: float,
                 in_channels: int,
                 samples_per_bin: int = 4,
                 trans_std: float = 0.1,
                 fc_channels: int = 1024,
                 deformable: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(output_size, spatial_scale, in_channels, fc_channels,
                         deformable, init_cfg)
        _check_samples_per_bin(samples_per_bin)
        self.samples_per_bin = samples_per_bin
        self.trans_std = trans_std

    def pool(self, input: Tensor, rois: Tensor,
             offset: Optional[Tensor]) -> Tensor:
        return deform_psroi_pool(input, rois, offset, self.output_size,
                                 self.spatial_scale, self.samples_per_bin,
                                 self.trans_std, self.paths.fast)

    def kernel_repr(self) -> str:
        return (f'samples_per_bin={self.samples_per_bin}, '
                f'trans_std={self.trans_std}')
