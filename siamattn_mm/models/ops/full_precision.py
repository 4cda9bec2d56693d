"""Computing some sums in single precision, whatever is around them."""
import contextlib
from typing import ContextManager

import torch


def full_precision(device: torch.device) -> ContextManager:
    """Switch autocast off for a while.

    Args:
        device (torch.device): Whose autocast.

    Returns:
        ContextManager: Without effect on PyTorch's ``meta`` device, which has
        no autocast.
    """
    if device.type == 'meta':
        return contextlib.nullcontext()
    return torch.autocast(device.type, enabled=False)
