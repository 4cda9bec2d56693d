"""The template's state as a flat list of named tensors, and back."""
from typing import Any, Iterator, List, Tuple

from torch import Tensor


def named_tensors(state: Any, name: str) -> List[Tuple[str, Tensor]]:
    """List the tensors of a nested state.

    Args:
        state (Any): A tensor, None, or a (named) tuple of such.
        name (str): Of the state.

    Returns:
        list[tuple[str, Tensor]]: In order, e.g. ``neck_state.0.spatial``.
    """
    if state is None:
        return []
    if isinstance(state, Tensor):
        return [(name, state)]
    keys = getattr(state, '_fields', range(len(state)))
    return [
        pair for key, item in zip(keys, state)
        for pair in named_tensors(item, f'{name}.{key}')
    ]


def rebuild(state: Any, tensors: Iterator[Tensor]) -> Any:
    """Put other tensors into a nested state.

    Args:
        state (Any): What :func:`named_tensors` took.
        tensors (Iterator[Tensor]): In its order.

    Returns:
        Any: As ``state``.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return next(tensors)
    items = [rebuild(item, tensors) for item in state]
    return type(state)(*items) if hasattr(state, '_fields') else tuple(items)
