"""Deformable RoI pooling with mmcv's kernel, on every device."""
from typing import Optional, Sequence, Tuple, Union

import torch
from mmtrack.registry import MODELS
from torch import Tensor

from . import mmcv_ops
from .bin_sampling import check_inputs, check_output_size, pool_bins
from .deform_roi_pool_pack import BaseDeformRoIPooling


def deform_roi_pool(input: Tensor,
                    rois: Tensor,
                    offset: Optional[Tensor],
                    output_size: Union[int, Sequence[int]],
                    spatial_scale: float = 1.0,
                    sampling_ratio: int = 0,
                    gamma: float = 0.1,
                    optimize: bool = True) -> Tensor:
    """Deformable RoI pooling as ``mmcv.ops.deform_roi_pool`` computes it.

    Every bin is the mean of a grid of bilinear samples at the centres of its
    sub-bins, moved by the bin's offset. RoIs are not rounded. Samples up to
    one cell outside the map take the border's value, those further out are 0.
    The centre of the first cell is at 0.

    mmcv's op does the work for CUDA tensors; mmcv has none for CPUs, so
    everywhere else, and in double precision, it is done in PyTorch. The two
    differ in one place: at clamped borders the gradient to ``offset`` is
    exact here, mmcv's is not.

    Args:
        input (Tensor): Feature maps, (N, C, H, W).
        rois (Tensor): RoIs, (R, 5): batch index, x1, y1, x2, y2, in units of
            1 / ``spatial_scale`` cells. No gradient flows to them.
        offset (Tensor, optional): Offsets of the bins, (R, 2, P_h, P_w),
            channel 0 = x, 1 = y, in units of ``gamma`` times the RoI's size.
            None pools without offsets.
        output_size (int or Sequence[int]): Bins P_h, P_w of a RoI.
        spatial_scale (float): Cells per unit of ``rois``. Defaults to 1.0.
        sampling_ratio (int): Samples per bin and axis. 0 takes the bin's size
            in cells, rounded up, for each RoI and axis; a RoI turned inside
            out has no samples then, and pools to 0. Defaults to 0.
        gamma (float): Factor of the offsets. Defaults to 0.1.
        optimize (bool): False has all samples in memory at once where mmcv's
            op does not serve. Defaults to True.

    Returns:
        Tensor: Pooled features, (R, C, P_h, P_w), in the type of ``input``.
        Coordinates and sums are at least in single precision.

    Raises:
        ValueError: If a shape, ``output_size`` or ``sampling_ratio`` is wrong.
    """
    output_size = check_output_size(output_size)
    _check_sampling_ratio(sampling_ratio)
    check_inputs(input, rois, offset, output_size)

    dtype = torch.promote_types(input.dtype, torch.float32)
    rois = rois.detach().to(dtype)
    if offset is not None:
        offset = offset.to(dtype)
    # A kernel of zero threads cannot be started.
    if (rois.shape[0] > 0 and dtype == torch.float32
            and mmcv_ops.usable(input)):
        return mmcv_ops.deform_roi_pool(input, rois, offset, output_size,
                                        spatial_scale, sampling_ratio, gamma)

    height, width = input.shape[2:]
    start = rois[:, 1:3] * spatial_scale - 0.5
    length = rois[:, 3:5] * spatial_scale - 0.5 - start
    x_bin, x_step, x_part = _sub_bin_centres(start[:, 0], length[:, 0],
                                             output_size[1], sampling_ratio)
    y_bin, y_step, y_part = _sub_bin_centres(start[:, 1], length[:, 1],
                                             output_size[0], sampling_ratio)
    # (R, P_h or 1, P_w or 1)
    x_bin, y_bin = x_bin.unsqueeze(1), y_bin.unsqueeze(2)
    if offset is not None:
        shift = gamma * length[:, :, None, None] * offset
        x_bin, y_bin = x_bin + shift[:, 0], y_bin + shift[:, 1]
    x = x_bin.unsqueeze(-1) + x_step[:, None, None]
    y = y_bin.unsqueeze(-1) + y_step[:, None, None]
    x_share = x_part[:, None, None] * ((x >= -1) & (x <= width))
    y_share = y_part[:, None, None] * ((y >= -1) & (y <= height))
    output = pool_bins(input, rois[:, 0].long(), y, x, y_share, x_share,
                       optimize)
    return output.to(input.dtype)


def _sub_bin_centres(start: Tensor, length: Tensor, bins: int,
                     sampling_ratio: int) -> Tuple[Tensor, Tensor, Tensor]:
    """Where RoIs are sampled along one axis, before offsets.

    Args:
        start (Tensor): First edge of the RoIs, (R,), in cells.
        length (Tensor): Their length, (R,), in cells.
        bins (int): Bins P along the axis.
        sampling_ratio (int): Samples per bin; 0 = bin size, rounded up.

    Returns:
        tuple[Tensor, Tensor, Tensor]: First edge of the bins, (R, P), where
        the samples are from there, (R, S), and the part that each has in its
        bin's mean, (R, S): 0 for those that only fill up the row of a RoI
        with less than S samples.
    """
    bin_size = (length / bins).unsqueeze(1)
    if sampling_ratio > 0:
        number = torch.full_like(bin_size, sampling_ratio)
        longest = sampling_ratio
    else:
        # A RoI that is not a number has no samples, and pools to NaN.
        number = bin_size.ceil().nan_to_num(0, 0, 0).clamp(min=0)
        longest = int(number.max()) if len(number) > 0 else 0
    sample = torch.arange(max(longest, 1), device=start.device)
    used = sample < number
    number = number.clamp(min=1)

    index = torch.arange(bins, device=start.device)
    bin_start = start.unsqueeze(1) + index * bin_size
    return bin_start, (sample + 0.5) * bin_size / number, used / number


def _check_sampling_ratio(sampling_ratio: int) -> None:
    if not isinstance(sampling_ratio, int) or sampling_ratio < 0:
        raise ValueError('sampling_ratio must be an int >= 0, but got '
                         f'{sampling_ratio!r}')


@MODELS.register_module()
class DeformRoIPooling(BaseDeformRoIPooling):
    """Deformable RoI pooling with mmcv's kernel.

    See :class:`BaseDeformRoIPooling` for how offsets are found, and
    :func:`deform_roi_pool` for the kernel.

    Args:
        output_size (int or Sequence[int]): Bins P_h, P_w of a RoI.
        spatial_scale (float): Cells per unit of the RoIs.
        in_channels (int): Channels C of the feature maps.
        sampling_ratio (int): Samples per bin and axis, 0 = bin size rounded
            up. Defaults to 0.
        gamma (float): Factor of the offsets. Defaults to 0.1.
        fc_channels (int): Width of the layers that give the offsets. Defaults
            to 1024.
        deformable (bool): Whether to use offsets at all. Defaults to True.
        init_cfg (dict, optional): mmengine's. Defaults to None.

    Raises:
        ValueError: If an argument is not positive (``sampling_ratio``:
            negative).
    """

    def __init__(self,
                 output_size: Union[int, Sequence[int]],
                 spatial_scale: float,
                 in_channels: int,
                 sampling_ratio: int = 0,
                 gamma: float = 0.1,
                 fc_channels: int = 1024,
                 deformable: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(output_size, spatial_scale, in_channels, fc_channels,
                         deformable, init_cfg)
        _check_sampling_ratio(sampling_ratio)
        self.sampling_ratio = sampling_ratio
        self.gamma = gamma

    def pool(self, input: Tensor, rois: Tensor,
             offset: Optional[Tensor]) -> Tensor:
        return deform_roi_pool(input, rois, offset, self.output_size,
                               self.spatial_scale, self.sampling_ratio,
                               self.gamma, self.paths.fast)

    def kernel_repr(self) -> str:
        return f'sampling_ratio={self.sampling_ratio}, gamma={self.gamma}'
