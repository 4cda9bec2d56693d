"""Tensors that never change, made once for each device."""
import functools
from typing import Any, Callable

import torch
from torch import Tensor


def cached_constant(maxsize: int = 64) -> Callable:
    """Keep what a function makes, for each of its arguments.

    A tensor that is made on the host and moved at each frame or step makes
    the host wait for the device, and cannot be part of a CUDA graph. What is
    kept may be met in training and in inference mode alike, so it is never
    an inference tensor; nobody may write to it.

    Args:
        maxsize (int): Results that are kept. Defaults to 64.

    Returns:
        Callable: A decorator for functions of hashable arguments, the device
        among them.
    """

    def decorate(make: Callable[..., Any]) -> Callable[..., Any]:

        @functools.lru_cache(maxsize=maxsize)
        def cached(*args: Any) -> Any:
            with torch.inference_mode(False), torch.no_grad():
                return make(*args)

        return functools.wraps(make)(cached)

    return decorate


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor to a device without waiting for it.

    Args:
        tensor (Tensor): Anywhere.
        device (torch.device): Where it is to be.

    Returns:
        Tensor: There. A copy from the host goes through pinned memory, which
        PyTorch keeps until the copy is done.
    """
    if tensor.device == device:
        return tensor
    if tensor.device.type == 'cpu' and device.type == 'cuda':
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
