"""The k-th largest value over all processes."""
from typing import Tuple

import torch
from mmengine.dist import all_reduce
from torch import Tensor

# A float is compared half by half.
_BITS = 16


def kth_largest(values: Tensor, k: int) -> Tensor:
    """Find the k-th largest of the values that all processes hold together.

    Floats that are not negative are in the order of their bits, read as
    integers. So counting each upper half finds the upper half of the answer,
    and counting the lower halves of those that have it, the rest. Only the
    counts travel between processes.

    Args:
        values (Tensor): float32 of any shape, 0 or more; NaN is larger than
            all others. Processes may hold different numbers of them, or none.
        k (int): From 1 to the number of values in all processes.

    Returns:
        Tensor: Scalar, the same in all processes.
    """
    # -0 and NaN may have the sign's bit set.
    bits = values.detach().contiguous().view(torch.int32) & 0x7fffffff
    upper_halves = bits >> _BITS
    upper, k = _find_half(upper_halves, k)
    lower, _ = _find_half(
        bits[upper_halves == upper] & (2**_BITS - 1), k)
    found = torch.tensor(
        (upper << _BITS) + lower, dtype=torch.int32, device=values.device)
    return found.view(torch.float32)


def _find_half(halves: Tensor, k: int) -> Tuple[int, int]:
    """The k-th largest half, and its place among those equal to it."""
    counts = torch.bincount(halves.flatten(), minlength=2**_BITS)
    all_reduce(counts)
    # Numbers of halves at least as large, from the largest half on.
    at_least = counts.flip(0).cumsum(0)
    place = int((at_least < k).sum())
    larger = int(at_least[place - 1]) if place > 0 else 0
    return 2**_BITS - 1 - place, k - larger
