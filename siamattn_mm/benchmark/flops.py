"""Floating point operations of everything that runs."""
import functools
import math
from typing import Any, Callable, Optional, Union

import torch
from mmcv.ops import DeformConv2d
from torch import Tensor, nn

from siamattn_mm.models.ops import fused_conv, onednn
from siamattn_mm.models.ops.deform_roi_pool_pack import BaseDeformRoIPooling
from siamattn_mm.torch_compat import FlopCounterMode

from .clocks import clock_for
from .patches import Patches

# Of one bilinear sample: four products and their sum.
_SAMPLE = 8


def deform_conv_flops(module: DeformConv2d, out: Tensor, *_: Any) -> int:
    """Operations of a deformable conv with its offset conv.

    By formula, since the ways to compute it differ in what they spend, and
    mmcv's operator is not seen by any counter.

    Args:
        module (DeformConv2d): The layer; ``conv_offset`` is counted, if it
            has one.
        out (Tensor): (N, C', H', W'), its output.

    Returns:
        int: A multiplication and an addition are two.
    """
    positions = out.shape[0] * out.shape[2] * out.shape[3]
    taps = module.kernel_size[0] * module.kernel_size[1]
    values = taps * module.in_channels
    flops = 2 * positions * values * module.out_channels // module.groups
    flops += _SAMPLE * positions * values
    if hasattr(module, 'conv_offset'):
        offsets = module.conv_offset.out_channels
        flops += 2 * positions * values * offsets
    return flops


def roi_pool_flops(module: BaseDeformRoIPooling, out: Tensor,
                   *_: Any) -> int:
    """Operations of one pass of deformable RoI pooling, without its layers.

    Args:
        module (BaseDeformRoIPooling): The layer.
        out (Tensor): (R, C, P_h, P_w), what was pooled.

    Returns:
        int: One sample a bin is assumed where the number depends on the RoI.
    """
    per_axis = getattr(module, 'samples_per_bin', None) or getattr(
        module, 'sampling_ratio', None) or 1
    return _SAMPLE * per_axis**2 * out.numel()


def winograd_flops(module: Any, out: Tensor, x: Tensor, *_: Any) -> int:
    """Operations of a direct 3x3 conv, of which it spends a part.

    Args:
        module (Any): Not used.
        out (Tensor): (N, C', H', W').
        x (Tensor): (N, C, H, W).

    Returns:
        int: As many as of any other conv.
    """
    return 2 * out.numel() * 9 * x.shape[1]


def _fused_conv_flops(x: Any,
                      second: Any,
                      third: Any,
                      *args: Any,
                      out_shape: Any = None,
                      **kwargs: Any) -> int:
    """Of oneDNN's convs, from shapes.

    The weight comes second, or third where a residual is second; a bias,
    which has one dimension, or none, may be third, too.
    """
    weight = third if third is not None and len(third) > 1 else second
    return 2 * math.prod(out_shape) * math.prod(weight) // out_shape[1]


def _fused_convs() -> dict:
    op = getattr(torch.ops.mkldnn, '_convolution_pointwise', None)
    return {} if op is None else {op: _fused_conv_flops}


class FlopGauge:
    """Counts matrix multiplications, convs and deformable operators.

    Elementwise operations, norms and softmaxes are not counted.

    Args:
        model (Any): Its deformable layers are counted by formula. Another
            runtime's stand-in, which is no ``nn.Module``, has none.

    Examples:
        >>> with FlopGauge(model) as gauge:
        ...     model(inputs, mode='tensor')
        ...     print(gauge())
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._counter = None
        self._extra = 0
        self._patches = Patches()

    def __call__(self) -> int:
        """int: Operations since the beginning."""
        return self._counter.get_total_flops() + self._extra

    def __enter__(self) -> 'FlopGauge':
        if FlopCounterMode is None:
            raise RuntimeError('counting needs PyTorch 2.1 or newer')
        # Trying oneDNN's operators out, the first time, is not the model's.
        for dtype in (torch.float32, torch.bfloat16):
            onednn.takes(dtype)
        self._extra = 0
        modules = self._model.modules() if isinstance(
            self._model, nn.Module) else ()
        for module in modules:
            if isinstance(module, DeformConv2d):
                self._replace(module, 'forward', deform_conv_flops)
            elif isinstance(module, BaseDeformRoIPooling):
                self._replace(module, 'pool', roi_pool_flops)
        self._replace(fused_conv, 'winograd_conv', winograd_flops)
        self._counter = FlopCounterMode(
            display=False, custom_mapping=_fused_convs())
        self._counter.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._counter.__exit__(*exception)
        self._patches.restore()

    def _replace(self, module: Any, name: str,
                 formula: Callable[..., int]) -> None:
        function = getattr(module, name)

        def counted(*args, **kwargs):
            before = self._counter.get_total_flops()
            out = function(*args, **kwargs)
            seen = self._counter.get_total_flops() - before
            self._extra += formula(module, out, *args) - seen
            return out

        self._patches.replace(module, name, counted)


def can_count() -> bool:
    """Whether this PyTorch can count at all."""
    return FlopCounterMode is not None


def matmul_peak(device: Union[torch.device, str] = 'cpu',
                size: Optional[int] = None,
                repeats: int = 5) -> float:
    """What float32 matrix multiplication reaches here, with these threads.

    Args:
        device (torch.device | str): Where. Defaults to the CPU.
        size (int, optional): Of the square matrices. Defaults to None: 1024
            on a CPU, 8192 on a GPU.
        repeats (int): The best of so many counts. Defaults to 5.

    Returns:
        float: FLOP a second.
    """
    device = torch.device(device)
    size = size or (1024 if device.type == 'cpu' else 8192)
    a, b = (torch.ones(size, size, device=device) for _ in range(2))
    out = torch.empty_like(a)
    clock = clock_for(device)
    return max(2 * size**3 /
               clock.timed(functools.partial(torch.mm, a, b, out=out))
               for _ in range(repeats))
