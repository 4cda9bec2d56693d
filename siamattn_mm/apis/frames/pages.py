"""Frames in one image file: the pages of a TIFF, as thermal cameras write."""
from typing import Iterator, Optional

import cv2
import numpy as np
from PIL import Image

from siamattn_mm.datasets.reading.image_reader import (
    UnreadableFrameError,
    read_bytes,
)
from siamattn_mm.datasets.reading.value_stretch import ValueStretch
from siamattn_mm.utils.quiet_opencv import quiet_opencv

from .base import DEFAULT_FPS, FrameError, Frames, check_range, size_of


def count_pages(path: str) -> int:
    """How many pictures an image file holds.

    Args:
        path (str): The file.

    Returns:
        int: 1 too if it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return getattr(image, 'n_frames', 1)
    except (OSError, ValueError, SyntaxError):
        return 1


class PageFrames(Frames):
    """The pages of a TIFF file, in order.

    The range of pages of more than 8 bits is chosen by the first one that is
    not all of one value, whatever ``start`` is.
    """

    def __init__(self, source: str, start: int, end: Optional[int],
                 stretch: ValueStretch) -> None:
        end = check_range(source, start, end, count_pages(source))
        try:
            self._data = read_bytes(source)
        except UnreadableFrameError as error:
            raise FrameError(f'{source!r} cannot be read: {error.reason}'
                             ) from error
        self._stretch = stretch
        first = self._page(source, start)
        if first.dtype != np.uint8:
            for index in range(start + 1):
                if stretch.value_range is None:
                    stretch.learn(self._page(source, index))
        super().__init__(source, start, end, DEFAULT_FPS, size_of(first))

    def __iter__(self) -> Iterator[np.ndarray]:
        for index in range(self.start, self._end):
            image = self._page(self.source, index)
            if size_of(image) != self.size:
                width, height = size_of(image)
                raise FrameError(
                    f'page {index} of {self.source!r} is {width}x{height}, '
                    f'but page {self.start} is {self.size[0]}x{self.size[1]}')
            yield self._stretch(image)

    def _page(self, source: str, index: int) -> np.ndarray:
        for flags in (cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH,
                      cv2.IMREAD_UNCHANGED):  # OpenCV's way with floats
            try:
                with quiet_opencv():
                    found, pages = cv2.imdecodemulti(
                        self._data, flags, range=(index, index + 1))
            except cv2.error:
                continue
            if found and pages:
                image = pages[0]
                image = np.dstack([image] * 3) if image.ndim == 2 else image
                return np.ascontiguousarray(image[..., :3])
        raise FrameError(f'page {index} of {source!r} cannot be read')
