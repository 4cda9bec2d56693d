"""Weights, crops, frames and inputs of operators by rule.

Everything depends on a name alone, through numpy's legacy generator, whose
numbers are the same in every version, and through sums and products that are
exact or rounded alike on every machine.
"""
import zlib
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
import torch

from siamattn_mm.models import ops

# Width and height of the frames, the target in the first one (x, y, w, h),
# and how far it moves in each.
FRAME_SIZE = 200, 150
TARGET = (60, 40, 48, 36)
MOTION = 5, 3

# By how much weights are smaller than their number of inputs asks for.
SMALL = {
    'backbone.conv1.': .01,  # crops are 0..255
    'conv_offset.': .2,
    'offset_fc.4.': .05,
    'cls_heads.0.head_convs.1.': .1,
    'cls_heads.1.head_convs.1.': .1,
    'cls_heads.2.head_convs.1.': .1,
    'reg_heads.0.head_convs.1.': .01,
    'reg_heads.1.head_convs.1.': .01,
    'reg_heads.2.head_convs.1.': .01,
    'box_fusion.convs.': .1,
    'fc_reg.': .01,
}


def uniform(name: str, shape: Tuple[int, ...], low: float = -1.,
            high: float = 1.) -> np.ndarray:
    """Numbers between two limits, as float64."""
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    return rng.random_sample(shape) * (high - low) + low


def weights(state_dict: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    """Other numbers for all weights of the released network.

    Chosen so that what each layer does is seen in the outputs: scalars that
    start at zero in training are not zero, offsets move samples by a share
    of their cell, and deltas of boxes keep them in the frame.

    Args:
        state_dict (dict[str, Tensor]): Names and shapes.

    Returns:
        dict[str, Tensor]: The same with numbers by rule.
    """
    made = {}
    for name, value in state_dict.items():
        shape = tuple(value.shape)
        if name.endswith('num_batches_tracked'):
            numbers = np.zeros(shape)
        elif name.endswith('running_var'):
            numbers = uniform(name, shape, .8, 1.2)
        elif name.endswith(('gamma', 'alpha')):
            numbers = uniform(name, shape, .2, .5)
        elif name.endswith('_weight'):  # of the levels, in the RPN head
            numbers = uniform(name, shape, .5, 1.5)
        elif name.endswith('weight') and len(shape) > 1:
            # A variance of one over the number of inputs.
            limit = np.sqrt(3. / np.prod(shape[1:]))
            numbers = uniform(name, shape, -limit, limit)
        elif name.endswith('weight'):
            numbers = uniform(name, shape, .8, 1.2)
        else:
            numbers = uniform(name, shape, -.1, .1)
        for part, factor in SMALL.items():
            if part in name and len(shape) > 1:
                numbers = numbers * factor
        made[name] = torch.from_numpy(np.asarray(numbers)).to(value.dtype)
    return made


def texture(name: str, height: int, width: int, cell: int = 8) -> np.ndarray:
    """(height, width, 3) uint8: coarse noise, smoothed, and fine noise."""
    rows, columns = height // cell + 3, width // cell + 3
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    coarse = rng.randint(0, 216, (rows, columns, 3))
    large = coarse.repeat(cell, axis=0).repeat(cell, axis=1)
    # The mean of cell x cell pixels, in whole numbers.
    sums = large.cumsum(axis=0).cumsum(axis=1)
    mean = (sums[cell:, cell:] - sums[:-cell, cell:] - sums[cell:, :-cell] +
            sums[:-cell, :-cell]) // cell**2
    fine = rng.randint(0, 40, (height, width, 3))
    return (mean[:height, :width] + fine).astype(np.uint8)


def crop_pair() -> Dict[str, np.ndarray]:
    """What the network is given: two crops and RoIs, under golden names."""
    rois = np.array([[0, 80., 90., 170., 150.], [0, -5., 12.3, 60.5, 99.9],
                     [0, 120.5, 119.5, 134.5, 135.5],
                     [0, 30., 20., 240., 252.]], np.float32)
    return dict(
        template=texture('template', 127, 127),
        search=texture('search', 255, 255),
        rois=rois)


def frames(count: int) -> List[np.ndarray]:
    """(150, 200, 3) uint8 frames of a target before a background."""
    background = texture('background', *FRAME_SIZE[::-1], cell=16)
    x, y, w, h = TARGET
    target = texture('target', h, w, cell=6)
    made = []
    for i in range(count):
        frame = background.copy()
        left, top = x + i * MOTION[0], y + i * MOTION[1]
        frame[top:top + h, left:left + w] = target
        made.append(frame)
    return made


class OperatorCase(NamedTuple):
    """A call of a deformable operator.

    Attributes:
        operator (str): Its name in ``siamattn_mm.models.ops``.
        tensors (dict[str, Tensor]): Its arguments with a gradient, by name.
        others (dict[str, Any]): Its other arguments.
        upstream (Tensor): The gradient of its output.
    """
    operator: str
    tensors: Dict[str, torch.Tensor]
    others: Dict[str, Any]
    upstream: torch.Tensor


def operator_cases() -> Dict[str, OperatorCase]:
    """Calls by name: RoIs of all sizes, some over the map's border."""

    def tensor(name: str, *shape: int, size: float = 1.) -> torch.Tensor:
        return torch.from_numpy(
            uniform(name, shape, -size, size).astype(np.float32))

    centre, half = tensor('centre', 8, 2), tensor('half', 8, 2).abs()
    centre, half = 128 + 110 * centre, 4 + 80 * half
    rois = torch.cat(
        (torch.arange(8)[:, None] % 2, centre - half, centre + half), dim=1)
    pooling = dict(
        rois=rois, output_size=(4, 3), spatial_scale=25 / 255)
    pooled = dict(
        input=tensor('map', 2, 4, 25, 25), offset=tensor('offset', 8, 2, 4, 3))
    upstream = tensor('upstream', 8, 4, 4, 3)
    conv = dict(
        input=tensor('conv map', 2, 6, 12, 15),
        offset=tensor('conv offset', 2, 18, 12, 15, size=2.5),
        weight=tensor('conv weight', 5, 6, 3, 3))
    return dict(
        psroi=OperatorCase('deform_psroi_pool', pooled,
                           dict(pooling, samples_per_bin=4, trans_std=.1),
                           upstream),
        roi=OperatorCase('deform_roi_pool', pooled,
                         dict(pooling, sampling_ratio=2, gamma=.1), upstream),
        adaptive_roi=OperatorCase(
            'deform_roi_pool', pooled,
            dict(pooling, sampling_ratio=0, gamma=.3), upstream),
        conv=OperatorCase(
            'deform_conv2d', conv, dict(stride=1, padding=2, dilation=2),
            tensor('conv upstream', 2, 5, 12, 15)))


def run_operator(case: OperatorCase) -> Dict[str, np.ndarray]:
    """What an operator gives, and the gradients of its arguments."""
    tensors = {
        name: value.clone().requires_grad_()
        for name, value in case.tensors.items()
    }
    output = getattr(ops, case.operator)(**tensors, **case.others)
    output.backward(case.upstream)
    found = dict(output=output.detach())
    found.update({f'grad_{name}': t.grad for name, t in tensors.items()})
    return {name: value.numpy() for name, value in found.items()}
