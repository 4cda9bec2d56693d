"""Tensors that are computed once from a module's parameters."""
from typing import Any, Callable, Sequence, Tuple

import torch
from torch import Tensor, nn


class Cache(dict):
    """What was computed from a module's parameters, not copied with it."""

    def __deepcopy__(self, memo: dict) -> 'Cache':
        return Cache()

    def __reduce__(self) -> Tuple[type, tuple]:
        return Cache, ()


def cache_of(module: nn.Module) -> Cache:
    """A module's cache.

    Args:
        module (nn.Module): The module.

    Returns:
        Cache: Emptied by :func:`forget`.
    """
    cache = module.__dict__.get('_derived')
    if cache is None:
        cache = module._derived = Cache()
    return cache


def versions_of(sources: Sequence[Tensor]) -> list:
    """What changes when tensors are loaded, trained, moved or cast.

    A write through ``.data`` cannot be seen: see :func:`forget`.

    Args:
        sources (Sequence[Tensor]): Parameters or buffers, or None.

    Returns:
        list: To be compared.
    """
    try:
        versions: list = [(id(s), s._version) for s in sources
                          if s is not None]
    except RuntimeError:  # made in inference mode: they have no version
        versions = [id(s) for s in sources]
    versions.append(sources[0].device)
    versions.append(sources[0].dtype)
    return versions


def derived(module: nn.Module, name: str, sources: Sequence[Tensor],
            make: Callable[[], Any]) -> Any:
    """Compute something once from parameters, without gradients.

    Args:
        module (nn.Module): Keeps it.
        name (str): Its name there.
        sources (Sequence[Tensor]): What it comes from.
        make (Callable): Computes it.

    Returns:
        Any: What ``make`` gave when the sources were as they are now.
    """
    cache, versions = cache_of(module), versions_of(sources)
    found = cache.get(name)
    if found is None or found[0] != versions:
        with torch.no_grad():
            found = cache[name] = (versions, make())
    return found[1]


def forget(model: nn.Module) -> None:
    """Forget what was computed.

    Args:
        model (nn.Module): With modules at any depth.
    """
    for module in model.modules():
        module.__dict__.pop('_derived', None)
