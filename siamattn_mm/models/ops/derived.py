"""Tensors that are computed once from a module's parameters."""
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn


class _Entry(NamedTuple):
    """What was computed, and from what.

    Attributes:
        value (Any): The result.
        versions (list): Of the sources then.
        sources (list[Tensor]): They stay alive, so that their ids are theirs.
        sums (Tensor): Of the sources' numbers then, (S,).
    """
    value: Any
    versions: list
    sources: list
    sums: Tensor


class _Cache(dict):
    """Entries by name, which are not copied with their module."""

    def __deepcopy__(self, memo: dict) -> '_Cache':
        return _Cache()

    def __reduce__(self) -> Tuple[type, tuple]:
        return _Cache, ()


def _versions(sources: Sequence[Optional[Tensor]]) -> list:
    """What changes when tensors are loaded, trained, moved or cast."""
    try:
        versions: list = [(id(s), s._version) for s in sources
                          if s is not None]
    except RuntimeError:  # made in inference mode: they have no version
        versions = [id(s) for s in sources]
    versions.append(sources[0].device)
    versions.append(sources[0].dtype)
    return versions


def derived(module: nn.Module,
            name: Any,
            sources: Sequence[Optional[Tensor]],
            make: Callable[[], Any],
            fits: Callable[[Any], bool] = lambda value: True) -> Any:
    """Compute something once from parameters, without gradients.

    It is computed again when a source is loaded, trained, moved or cast. A
    write through ``.data`` cannot be seen here: see :func:`forget_outdated`.

    Args:
        module (nn.Module): Keeps it, but not in its state dict or copies.
        name (Any): Its name there.
        sources (Sequence[Tensor]): What it comes from; None, but for the
            first, where there is none.
        make (Callable): Computes it.
        fits (Callable): Whether what is there can be used. Defaults to
            always.

    Returns:
        Any: What ``make`` gave.
    """
    cache = module.__dict__.get('_derived')
    if cache is None:
        cache = module._derived = _Cache()
    entry, versions = cache.get(name), _versions(sources)
    if entry is None or entry.versions != versions or not fits(entry.value):
        known = [s for s in sources if s is not None]
        with torch.no_grad():
            entry = cache[name] = _Entry(make(), versions, known,
                                         _sums(known, {}))
    return entry.value


def _sums(sources: Sequence[Tensor], known: Dict[int, Tensor]) -> Tensor:
    """Sums of tensors; a device is not waited for."""
    for source in sources:
        if id(source) not in known:
            known[id(source)] = source.detach().sum().double()
    return torch.stack([known[id(source)] for source in sources])


def forget_outdated(model: nn.Module) -> None:
    """Forget what was computed from tensors that have changed since.

    This looks at the numbers themselves: a write through ``.data``, as that
    of averaged weights, leaves no other trace.

    Args:
        model (nn.Module): With modules at any depth.
    """
    known: Dict[int, Tensor] = {}
    for module in model.modules():
        cache = module.__dict__.get('_derived') or {}
        for name, entry in list(cache.items()):
            if not torch.equal(_sums(entry.sources, known), entry.sums):
                cache.pop(name, None)  # other threads may do the same
