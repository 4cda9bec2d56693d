"""The one door to mmcv's operators.

Their kernels read memory as if it were contiguous, know float32 and float16
but no bfloat16 (and lose in float16 what positions need), and take batches
that a step divides. Whatever comes here is made so, and so are the gradients
that go back.
"""
import warnings
from functools import lru_cache
from typing import Callable, List, Optional, Sequence, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from siamattn_mm.utils.messages import first_line

from .full_precision import full_precision

# Images that mmcv's deformable conv unfolds at once.
IM2COL_STEP = 32
MEND = ('build mmcv for this PyTorch and this GPU (`bash tools/setup.sh` does '
        'where a CUDA compiler is found; else FORCE_CUDA=1 MMCV_WITH_OPS=1 '
        'pip install --no-build-isolation --no-binary :all: onedl-mmcv)')


def usable(tensor: Tensor) -> bool:
    """Whether mmcv's CUDA operators take tensors like this one.

    Args:
        tensor (Tensor): Any.

    Returns:
        bool: False for other devices, and where mmcv has no kernel that runs
        on this GPU: then our own operators do the work, and one warning says
        so.
    """
    return tensor.is_cuda and _works_on(tensor.device)


@lru_cache(maxsize=None)
def _works_on(device: torch.device) -> bool:
    """Try a kernel: only that shows whether it was built for this GPU."""
    try:
        with torch.inference_mode(False), torch.no_grad():
            x = torch.zeros(1, 1, 3, 3, device=device)
            deform_conv2d(x, x.new_zeros(1, 2, 3, 3), x[..., :1, :1])
            deform_roi_pool(x, x.new_zeros(1, 5), None, (1, 1), 1., 1, .1)
            torch.cuda.synchronize(device)
    except (ImportError, RuntimeError, NotImplementedError) as error:
        warnings.warn(
            f'mmcv\'s operators do not run on {device} '
            f'({first_line(error)}): '
            f'PyTorch\'s do their work, more slowly. To mend it, {MEND}',
            stacklevel=2)
        return False
    return True


def _prepared(tensors: Sequence[Optional[Tensor]]) -> List[Optional[Tensor]]:
    """Contiguous and of one type that the kernels have, on one device.

    Raises:
        ValueError: If they are on several devices.
    """
    there = [tensor for tensor in tensors if tensor is not None]
    devices = {tensor.device for tensor in there}
    if len(devices) > 1:
        raise ValueError('the tensors of an operator must be on one device, '
                         f'but are on {sorted(map(str, devices))}')
    dtype = torch.float32
    for tensor in there:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return [
        None if tensor is None else tensor.to(dtype).contiguous()
        for tensor in tensors
    ]


def _call(operator: Callable, *args: object) -> Tensor:
    out = operator(*args)
    # mmcv's backward kernels read the gradient as it lies in memory, too.
    if out.requires_grad:
        out.register_hook(lambda grad: grad.contiguous())
    return out


def deform_conv2d(input: Tensor,
                  offset: Tensor,
                  weight: Tensor,
                  stride: Tuple[int, int] = (1, 1),
                  padding: Tuple[int, int] = (0, 0),
                  dilation: Tuple[int, int] = (1, 1),
                  groups: int = 1,
                  deform_groups: int = 1,
                  im2col_step: int = IM2COL_STEP) -> Tensor:
    """mmcv's deformable conv (v1) for any batch, layout and type.

    Args:
        input (Tensor): (N, C, H, W).
        offset (Tensor): (N, 2 * G * K_h * K_w, H', W'), y and x of each tap.
        weight (Tensor): (C', C, K_h, K_w).
        stride (tuple[int, int]): Defaults to (1, 1).
        padding (tuple[int, int]): Defaults to (0, 0).
        dilation (tuple[int, int]): Defaults to (1, 1).
        groups (int): Defaults to 1.
        deform_groups (int): G. Defaults to 1.
        im2col_step (int): Images at once, at most. Defaults to 32.

    Returns:
        Tensor: (N, C', H', W'), in the type of ``input``; computed in float32
        or better.

    Raises:
        ValueError: If the tensors are on several devices.
    """
    from mmcv.ops import deform_conv2d as operator
    dtype = input.dtype
    num = len(input)
    if not num:  # a kernel of zero threads cannot be started
        return F.conv2d(input, weight.to(dtype), None, stride, padding,
                        dilation, groups)
    with full_precision(input.device):
        input, offset, weight = _prepared([input, offset, weight])
        # As many whole steps as there are, and one for the rest.
        whole = num - num % min(im2col_step, num)
        parts = [slice(0, whole)] + [slice(whole, num)] * (whole < num)
        outs = [
            _call(operator, input[part], offset[part], weight, stride,
                  padding, dilation, groups, deform_groups, False,
                  min(im2col_step, part.stop - part.start)) for part in parts
        ]
        out = outs[0] if len(outs) == 1 else torch.cat(outs)
        return out.to(dtype)


def deform_roi_pool(input: Tensor, rois: Tensor, offset: Optional[Tensor],
                    output_size: Tuple[int, int], spatial_scale: float,
                    sampling_ratio: int, gamma: float) -> Tensor:
    """mmcv's deformable RoI pooling for any layout and type.

    Args:
        input (Tensor): (N, C, H, W).
        rois (Tensor): (R, 5), R > 0.
        offset (Tensor, optional): (R, 2, P_h, P_w).
        output_size (tuple[int, int]): P_h, P_w.
        spatial_scale (float): Cells per unit of ``rois``.
        sampling_ratio (int): Samples per bin and axis; 0 = bin size.
        gamma (float): Factor of the offsets.

    Returns:
        Tensor: (R, C, P_h, P_w), in the type of ``input``; computed in
        float32.

    Raises:
        ValueError: If the tensors are on several devices.
    """
    from mmcv.ops import deform_roi_pool as operator
    dtype = input.dtype
    with full_precision(input.device):
        input, rois, offset = _prepared([input, rois, offset])
        return _call(operator, input, rois, offset, output_size,
                     spatial_scale, sampling_ratio, gamma).to(dtype)
