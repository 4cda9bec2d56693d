"""Replacing methods for a while."""
from typing import Any, List, Tuple


class Patches:
    """Attributes that are replaced, and put back as they were."""

    def __init__(self) -> None:
        self._replaced: List[Tuple[Any, str, bool, Any]] = []

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute.

        Args:
            owner (Any): Object, class or module.
            name (str): The attribute.
            value (Any): What it is until :meth:`restore`.
        """
        own = vars(owner)
        self._replaced.append((owner, name, name in own, own.get(name)))
        setattr(owner, name, value)

    def restore(self) -> None:
        """Put everything back: what was inherited is inherited again."""
        while self._replaced:
            owner, name, own, value = self._replaced.pop()
            if own:
                setattr(owner, name, value)
            else:
                delattr(owner, name)
