"""Tensors in nested tuples, lists and dicts."""
from typing import Any, List, Optional, Sequence

import numpy as np
import torch
from torch import Tensor


def tensors_in(value: Any) -> List[Tensor]:
    """The tensors of nested tuples, lists and dicts, in order.

    Args:
        value (Any): What is neither of them nor a tensor counts for nothing.

    Returns:
        list[Tensor]: Maybe none.
    """
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def with_tensors(value: Any, tensors: Any) -> Any:
    """The same nested value with other tensors.

    Args:
        value (Any): Of :func:`tensors_in`.
        tensors (Iterator[Tensor]): In its order.

    Returns:
        Any: A new one.
    """
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return {k: with_tensors(v, tensors) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        items = [with_tensors(item, tensors) for item in value]
        return type(value)(*items) if hasattr(value, '_fields') else type(
            value)(items)
    return value


def batched(states: Sequence[Any]) -> Any:
    """Nested tensors of one image each, as one of all.

    Args:
        states (Sequence[Any]): N, nested alike; (1, ...) each.

    Returns:
        Any: Nested alike, (N, ...).
    """
    first = states[0]
    if first is None:
        return None
    if isinstance(first, Tensor):
        return torch.cat(list(states))
    items = [batched(parts) for parts in zip(*states)]
    return type(first)(*items) if hasattr(first, '_fields') else tuple(items)


def download(tensors: Sequence[Optional[Tensor]]
             ) -> List[Optional[np.ndarray]]:
    """Bring tensors to the host, in one copy from a device.

    Args:
        tensors (Sequence[Tensor | None]): On one device; None stays None.

    Returns:
        list[np.ndarray | None]: float32.
    """
    known = [t.float() for t in tensors if t is not None]
    if known[0].device.type != 'cpu':
        packed = torch.cat([t.flatten() for t in known]).cpu()
        known = [
            part.view(t.shape)
            for part, t in zip(packed.split([t.numel() for t in known]), known)
        ]
    arrays = iter(known)
    return [None if t is None else next(arrays).numpy() for t in tensors]
