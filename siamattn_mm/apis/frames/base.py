"""What all sources of frames have in common."""
from abc import ABCMeta, abstractmethod
from typing import Iterator, Optional, Tuple

import numpy as np

from siamattn_mm.datasets.reading.value_stretch import ValueStretch

# Frames a second where the source does not say.
DEFAULT_FPS = 25.


class FrameError(ValueError):
    """Frames cannot be read; the message names the file."""


class Frames(metaclass=ABCMeta):
    """Frames ``start`` to ``end`` (not included) of one source.

    Iterating gives (H, W, 3) uint8 arrays, BGR, upright, all of one size; it
    may be done again, and raises :class:`FrameError` where a frame cannot be
    read.

    Attributes:
        source (str): File, folder, address, or number of the camera.
        start (int): Number of the first frame in the source, from 0.
        fps (float): Frames a second; 25 where the source does not say.
        size (tuple[int, int]): Width and height in pixels.
    """
    _stretch: Optional[ValueStretch] = None

    def __init__(self, source: str, start: int, end: Optional[int],
                 fps: float, size: Tuple[int, int]) -> None:
        self.source = source
        self.start = start
        self._end = end
        self.fps = fps if 0 < fps <= 1000 else DEFAULT_FPS
        self.size = size

    def __len__(self) -> int:
        """Number of frames.

        Raises:
            TypeError: If the source is a camera or a stream, and no end was
                given.
        """
        if self._end is None:
            raise TypeError(f'{self.source} has no last frame')
        return self._end - self.start

    @property
    def value_range(self) -> Optional[Tuple[float, float]]:
        """tuple[float, float] | None: Which values became 0 and 255.

        None for pixels of 8 bits, and until the first frame decides.
        """
        return None if self._stretch is None else self._stretch.stretched

    @abstractmethod
    def __iter__(self) -> Iterator[np.ndarray]:
        """Read the frames, in order."""

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}({self.source!r}, '
                f'start={self.start}, end={self._end}, fps={self.fps:g}, '
                f'size={self.size})')


def check_range(source: str, start: int, end: Optional[int],
                count: Optional[int]) -> Optional[int]:
    """Refuse a range outside the frames.

    Args:
        source (str): For the message.
        start (int): First frame, from 0.
        end (int, optional): The frame behind the last one; None: ``count``.
        count (int, optional): Number of frames; None: any number.

    Returns:
        int | None: The frame behind the last one.

    Raises:
        FrameError: If they do not fit.
    """
    last = count if end is None else end
    if start < 0 or (last is not None and start >= last) or (
            count is not None and last > count):
        there = 'any number of' if count is None else str(count)
        raise FrameError(
            f'{source!r} has {there} frames: start={start} and end={end} must '
            f'be 0 <= start < end' + ('' if count is None else f' <= {count}'))
    return last


def size_of(image: np.ndarray) -> Tuple[int, int]:
    """Width and height of an (H, W, ...) array."""
    return image.shape[1], image.shape[0]
