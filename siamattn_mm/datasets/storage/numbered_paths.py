"""Paths of the numbered images of many videos."""
from typing import Dict, Iterable, Sequence

import numpy as np

from .string_table import StringTable


class NumberedPaths:
    """An immutable list of paths that differ in a number within a video.

    A data set of 14 million frames whose names are ``00000001.jpg`` and so
    on need not store a name a frame: 4 bytes do. Takes the place of a
    :class:`StringTable`.

    Args:
        templates (Iterable[str]): One a video, with a place for the number:
            ``'zebra/zebra-1/img/%08d.jpg'``. A percent sign of the path
            itself is doubled, see :func:`escape`.
        lengths (Sequence[int]): Number of images of each video.
        numbers (ndarray): (I,) number in the name of each image.

    Raises:
        ValueError: If the lengths do not add up to the numbers.
    """

    def __init__(self, templates: Iterable[str], lengths: Sequence[int],
                 numbers: np.ndarray) -> None:
        self.templates = StringTable(templates)
        self.ends = np.cumsum(lengths, dtype=np.int64)
        self.numbers = np.ascontiguousarray(numbers, dtype=np.int32)
        total = int(self.ends[-1]) if len(self.ends) else 0
        if (len(self.templates), total) != (len(self.ends),
                                            len(self.numbers)):
            raise ValueError(
                f'{len(self.numbers)} numbers and {len(self.templates)} '
                f'templates for {len(self.ends)} videos of {total} images')

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def nbytes(self) -> int:
        """int: Bytes that all arrays take."""
        return (self.templates.nbytes + self.ends.nbytes +
                self.numbers.nbytes)

    def __getitem__(self, index: int) -> str:
        video = int(np.searchsorted(self.ends, index, side='right'))
        return self.templates[video] % int(self.numbers[index])

    def to_arrays(self) -> Dict[str, np.ndarray]:
        """All that is in it, to be saved.

        Returns:
            dict[str, ndarray]: For :meth:`from_arrays`.
        """
        return dict(
            template_data=self.templates.data,
            template_ends=self.templates.ends,
            video_lengths=np.diff(self.ends, prepend=0),
            numbers=self.numbers)

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> 'NumberedPaths':
        """Make it again from what :meth:`to_arrays` returned."""
        templates = StringTable.from_arrays(
            dict(data=arrays['template_data'], ends=arrays['template_ends']))
        return cls((templates[i] for i in range(len(templates))),
                   arrays['video_lengths'], arrays['numbers'])


def escape(path: str) -> str:
    """A path as part of a template.

    Args:
        path (str): Any path.

    Returns:
        str: The same with each ``%`` doubled.
    """
    return path.replace('%', '%%')
