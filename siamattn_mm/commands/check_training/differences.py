"""How far two checkpoints are apart."""
from typing import Any, Dict

from torch import Tensor


def differences(first: Any, second: Any, name: str = '') -> Dict[str, float]:
    """Compare two checkpoints' contents.

    Args:
        first (Any): Tensors and numbers, in dicts and lists.
        second (Any): The same of the other.
        name (str): Of both, for the result.

    Returns:
        dict[str, float]: Largest difference of each tensor or number by its
        name; infinity where something is in one of them only.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        pairs = [(key, first.get(key), second.get(key))
                 for key in {**first, **second}]
    elif isinstance(first, (list, tuple)) and isinstance(
            second, (list, tuple)) and len(first) == len(second):
        pairs = list(zip(range(len(first)), first, second))
    elif isinstance(first, Tensor) and isinstance(
            second, Tensor) and first.shape == second.shape:
        gap = (first.double() - second.double()).abs()
        return {name: float(gap.max()) if gap.numel() else 0.}
    elif isinstance(first, float) and isinstance(second, float):
        return {name: abs(first - second)}
    else:
        same = not isinstance(first, Tensor) and first == second
        return {name: 0. if same else float('inf')}
    found = dict()
    for key, one, other in pairs:
        found.update(differences(one, other, f'{name}.{key}' if name else
                                 str(key)))
    return found
