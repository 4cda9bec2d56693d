"""Frames in a folder of images."""
import os
import os.path as osp
from typing import Iterator, List, Optional

import numpy as np

from siamattn_mm.datasets.reading import image_files, sequence_folder
from siamattn_mm.datasets.reading.image_reader import (
    UnreadableFrameError,
    decode_values,
    read_bytes,
)
from siamattn_mm.datasets.reading.value_stretch import ValueStretch

from .base import DEFAULT_FPS, FrameError, Frames, check_range, size_of

SUFFIXES = image_files.IMAGE_SUFFIXES


class FolderFrames(Frames):
    """Frames in a folder, one image file each, in natural order.

    The range of images of more than 8 bits is chosen by the folder's first
    image that is not all of one value, whatever ``start`` is.
    """

    def __init__(self, source: str, start: int, end: Optional[int],
                 stretch: ValueStretch) -> None:
        self.paths = _list_images(source)
        if not self.paths:
            raise FrameError(
                f'folder {source!r} is empty: it holds no images '
                f'({", ".join(SUFFIXES)})')
        end = check_range(source, start, end, len(self.paths))
        self._stretch = stretch
        first = _read_image(self.paths[start])
        if first.dtype != np.uint8:
            self._choose_range(start)
        super().__init__(source, start, end, DEFAULT_FPS, size_of(first))

    def _choose_range(self, start: int) -> None:
        for path in self.paths[:start + 1]:
            if self._stretch.value_range is not None:
                return
            self._stretch.learn(_read_image(path))

    def __iter__(self) -> Iterator[np.ndarray]:
        for path in self.paths[self.start:self._end]:
            frame = _read_image(path)
            if size_of(frame) != self.size:
                width, height = size_of(frame)
                raise FrameError(
                    f'image {path!r} is {width}x{height}, but the first one, '
                    f'{self.paths[self.start]!r}, is '
                    f'{self.size[0]}x{self.size[1]}')
            yield self._stretch(frame)


def _list_images(folder: str) -> List[str]:
    for path in (folder, osp.join(folder, sequence_folder.IMAGE_FOLDER)):
        try:
            there = os.listdir(path) if osp.isdir(path) else ()
        except OSError as error:
            raise FrameError(
                f'folder {path!r} cannot be read: {error.strerror}'
            ) from error
        # macOS leaves "._00000001.jpg" files that are no images.
        names = [
            name for name in there
            if name.lower().endswith(SUFFIXES) and not name.startswith('.')
        ]
        if names:
            names.sort(key=image_files.natural_key)
            return [osp.join(path, name) for name in names]
    return []


def _read_image(path: str) -> np.ndarray:
    try:
        data = read_bytes(path)
    except UnreadableFrameError as error:
        raise FrameError(f'{path!r} cannot be read: {error.reason}'
                         ) from error
    try:
        return decode_values(data, path)
    except UnreadableFrameError as error:
        raise FrameError(f'{path!r} cannot be read as an image') from error
