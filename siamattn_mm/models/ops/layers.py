"""Fully connected layers whose weights autocast need not convert each time."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamattn_mm.torch_compat import autocast_dtype

from .derived import derived


def run_layers(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Run layers one after the other.

    Without gradients under a CPU's autocast, the converted weights are kept:
    reading them is what such layers take their time for.

    Args:
        layers (nn.Sequential): Linear layers, and any others.
        x (Tensor): (N, C).

    Returns:
        Tensor: What the layers give.
    """
    dtype = autocast_dtype('cpu')
    if x.device.type != 'cpu' or torch.is_grad_enabled() or dtype is None:
        return layers(x)
    for layer in layers:
        if type(layer) is nn.Linear:
            x = F.linear(x.to(dtype), *_converted(layer, dtype))
        else:
            x = layer(x)
    return x


def _converted(layer: nn.Linear, dtype: torch.dtype) -> tuple:
    sources = layer.weight, layer.bias
    return derived(
        layer, dtype, sources,
        lambda: tuple(None if s is None else s.detach().to(dtype)
                      for s in sources))
