"""Running the network with operations that ONNX has."""
import contextlib
import importlib
from typing import Any, Iterator

import torch
from torch.onnx import symbolic_helper

from siamattn_mm.models.ops import DeformConvPack

from . import roi_pooling
from .deform_conv import forward_as_grid_sample, forward_as_operator

OPSET = 19
DEFORM_CONV = {
    'operator': forward_as_operator,
    'grid-sample': forward_as_grid_sample
}


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _threshold(g: Any, x: Any, threshold: Any, value: Any) -> Any:
    """``F.threshold``, of which the exporter only knows ReLU."""
    limit, other = (
        g.op(
            'Constant',
            value_t=torch.tensor(
                float(symbolic_helper._maybe_get_const(number, 'f'))))
        for number in (threshold, value))
    return g.op('Where', g.op('Greater', x, limit), x, other)


@contextlib.contextmanager
def standard_operators(deform_conv: str = 'operator') -> Iterator[None]:
    """Let ops run as what ONNX has standard operators for.

    The numbers are the same, of one image and one RoI, without gradients.

    Args:
        deform_conv (str): ``'operator'``, ONNX's ``DeformConv``, or
            ``'grid-sample'``, for runtimes without it.
            Defaults to 'operator'.
    """
    ops = 'siamattn_mm.models.ops.'
    mmcv_kernel = importlib.import_module(ops + 'deform_roi_pool')
    psroi_kernel = importlib.import_module(ops + 'deform_psroi_pool')
    with contextlib.ExitStack() as stack:
        for owner, name, value in (
            (mmcv_kernel, 'pool_bins', roi_pooling.pool_bins),
            (psroi_kernel, 'pool_bins', roi_pooling.pool_bins),
            (mmcv_kernel, '_sub_bin_centres', roi_pooling.sub_bin_centres),
            (DeformConvPack, 'forward', DEFORM_CONV[deform_conv])):
            stack.enter_context(_replaced(owner, name, value))
        torch.onnx.register_custom_op_symbolic('aten::threshold', _threshold,
                                               OPSET)
        stack.callback(torch.onnx.unregister_custom_op_symbolic,
                       'aten::threshold', OPSET)
        yield
