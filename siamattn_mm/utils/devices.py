"""Which device to compute on."""
import functools
import warnings
from typing import Any, Optional

import torch
from torch import nn

from .messages import first_line


@functools.lru_cache(maxsize=None)
def default_device() -> str:
    """The GPU where PyTorch sees one that works, else the CPU.

    Returns:
        str: ``'cuda'`` or ``'cpu'``. A GPU that PyTorch sees, but cannot use
        (an old driver, no kernels for it), is warned of once.
    """
    if not torch.cuda.is_available():
        return 'cpu'
    try:
        # Only what computes shows that there are kernels for this GPU.
        torch.zeros(1, device='cuda').add(1).item()
    except RuntimeError as error:
        warnings.warn(
            f'the GPU is not used: {first_line(error)}; install a PyTorch '
            'that was built for it', stacklevel=2)
        return 'cpu'
    return 'cuda'


def check_device(device: Optional[str]) -> torch.device:
    """Take a device that the user names, or choose one.

    Args:
        device (str, optional): e.g. ``'cuda:1'``; None is
            :func:`default_device`.

    Returns:
        torch.device: One that works.

    Raises:
        ValueError: If it cannot be used.
    """
    if device is None:
        device = default_device()
    try:
        # Most kinds of device complain only when they are used.
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f'device {device!r} cannot be used: '
                         f'{first_line(error)}') from error


def describe_device(device: torch.device) -> str:
    """A device's name, to be shown.

    Args:
        device (torch.device): One that works.

    Returns:
        str: e.g. ``'cpu'``, ``'cuda:0 (NVIDIA H100)'``.
    """
    if device.type != 'cuda':
        return str(device)
    return f'{device} ({torch.cuda.get_device_name(device)})'


def device_of(model: Any) -> torch.device:
    """Where a model's parameters are.

    Args:
        model (Any): A module; whatever else it is runs on the CPU.

    Returns:
        torch.device: Of the first parameter.
    """
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    return next((p.device for p in parameters), torch.device('cpu'))
