"""Many short byte strings in two arrays."""
from typing import Dict, Iterable, Union

import numpy as np


class StringTable:
    """An immutable list of strings without a Python object per string.

    A list of a million ``str`` costs each data loader worker about 100 MB,
    since reference counts are written into the pages that it shares with its
    parent. Two arrays stay shared.

    Args:
        strings (Iterable[str | bytes]): The strings; ``str`` is stored as
            UTF-8.
    """

    def __init__(self, strings: Iterable[Union[str, bytes]] = ()) -> None:
        encoded = [
            s.encode('utf-8', 'surrogateescape') if isinstance(s, str) else s
            for s in strings
        ]
        self.ends = np.cumsum([len(s) for s in encoded], dtype=np.int64)
        self.data = np.frombuffer(b''.join(encoded), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def nbytes(self) -> int:
        """int: Bytes that the two arrays take."""
        return self.ends.nbytes + self.data.nbytes

    def bytes(self, index: int) -> bytes:
        """The ``index``-th string as it was stored.

        Args:
            index (int): From 0 to ``len(self) - 1``.

        Returns:
            bytes: The string.
        """
        start = self.ends[index - 1] if index > 0 else 0
        return self.data[start:self.ends[index]].tobytes()

    def __getitem__(self, index: int) -> str:
        return self.bytes(index).decode('utf-8', 'surrogateescape')

    def to_arrays(self) -> Dict[str, np.ndarray]:
        """All that is in it, to be saved.

        Returns:
            dict[str, ndarray]: For :meth:`from_arrays`.
        """
        return dict(data=self.data, ends=self.ends)

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> 'StringTable':
        """Make it again from what :meth:`to_arrays` returned."""
        table = cls()
        table.data, table.ends = arrays['data'], arrays['ends']
        return table
