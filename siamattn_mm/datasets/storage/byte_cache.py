"""A cache that is limited by the bytes in it."""
from collections import OrderedDict
from typing import Any, Callable, Hashable


class ByteCache:
    """Keeps the values that were used last.

    Every data loader worker fills a cache of its own.

    Args:
        max_bytes (int): Bytes to keep; 0 keeps nothing. Defaults to 0.
    """

    def __init__(self, max_bytes: int = 0) -> None:
        self.max_bytes = max_bytes
        self._values = OrderedDict()
        self._used = 0

    def get(self, key: Hashable, make: Callable[[], Any],
            size: Callable[[Any], int]) -> Any:
        """The value of a key, made anew if it is not there.

        Args:
            key (Hashable): Names the value.
            make (Callable): Makes it. What it raises is passed on, and
                nothing is kept.
            size (Callable): Tells the bytes of the value.

        Returns:
            Any: The value. Whoever changes it changes what is kept.
        """
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]
        value = make()
        num_bytes = size(value)
        if num_bytes <= self.max_bytes:
            self._values[key] = (value, num_bytes)
            self._used += num_bytes
            while self._used > self.max_bytes:
                self._used -= self._values.popitem(last=False)[1][1]
        return value

    def __getstate__(self) -> dict:
        # A worker that is spawned starts with an empty one.
        return dict(max_bytes=self.max_bytes, _values=OrderedDict(), _used=0)
