"""The k-th largest value over all processes."""
from typing import Optional, Tuple

import torch
import torch.nn.functional as F
from mmengine.dist import all_reduce
from torch import Tensor

# A float is compared half by half.
_BITS = 16


def kth_largest(values: Tensor, k: Tensor) -> Tensor:
    """Find the k-th largest of the values that all processes hold together.

    Floats that are not negative are in the order of their bits, read as
    integers. So counting each upper half finds the upper half of the answer,
    and counting the lower halves of those that have it, the rest. Only the
    counts travel between processes, and no process waits for its device.

    Args:
        values (Tensor): float32 of any shape, 0 or more; NaN is larger than
            all others. Processes may hold different numbers of them, or none.
        k (Tensor): Integer scalar on the same device, from 1 to the number
            of values in all processes.

    Returns:
        Tensor: Scalar, the same in all processes.
    """
    # -0 and NaN may have the sign's bit set.
    bits = values.detach().contiguous().view(torch.int32) & 0x7fffffff
    bits = bits.flatten()
    upper_halves = bits >> _BITS
    upper, k = _find_half(_count(upper_halves), k)
    member = upper_halves == upper
    lower, _ = _find_half(_count(bits & (2**_BITS - 1), member), k)
    found = (upper << _BITS) + lower
    return found.to(torch.int32).view(torch.float32)


def _count(halves: Tensor, member: Optional[Tensor] = None) -> Tensor:
    """How often each half occurs, in all processes; of the members alone."""
    size = 2**_BITS
    if halves.device.type == 'cpu':
        if member is not None:
            halves = halves[member]
        counts = torch.bincount(halves, minlength=size)
    else:  # where bincount() and boolean indices would wait for the device
        ones = torch.ones_like(halves, dtype=torch.int64)
        if member is not None:
            ones = ones * member
        counts = ones.new_zeros(size).scatter_add_(0, halves.long(), ones)
    all_reduce(counts)
    return counts


def _find_half(counts: Tensor, k: Tensor) -> Tuple[Tensor, Tensor]:
    """The k-th largest half, and its place among those equal to it."""
    # Numbers of halves at least as large, from the largest half on.
    at_least = counts.flip(0).cumsum(0)
    place = (at_least < k).sum()
    larger = F.pad(at_least, (1, 0)).gather(0, place.view(1)).view(())
    return 2**_BITS - 1 - place, k - larger
