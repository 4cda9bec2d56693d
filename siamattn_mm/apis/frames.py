"""Frames of a video file, a folder of images or a camera."""
import operator
import os
import os.path as osp
from abc import ABCMeta, abstractmethod
from typing import Iterator, List, Optional, Tuple, Union

import cv2
import numpy as np

from siamattn_mm.datasets import sequence_folder
from siamattn_mm.utils.quiet_opencv import quiet_opencv

SUFFIXES = (*sequence_folder.IMAGE_SUFFIXES, '.tif', '.tiff', '.webp')
# Frames a second where the source does not say.
DEFAULT_FPS = 25.
# Containers may count frames that no decoder gives out: those before an edit
# list's start, or an estimate from the duration. More is a broken file.
_TOLERATED_FRAMES = 2
_TOLERATED_SHARE = 0.02


class FrameError(ValueError):
    """Frames cannot be read; the message names the file."""


class Frames(metaclass=ABCMeta):
    """Frames ``start`` to ``end`` (not included) of one source.

    Iterating gives (H, W, 3) uint8 arrays, BGR, all of one size; it may be
    done again, and raises :class:`FrameError` where a frame cannot be read.

    Attributes:
        source (str): File, folder or number of the camera.
        start (int): Number of the first frame in the source, from 0.
        fps (float): Frames a second; 25 where the source does not say.
        size (tuple[int, int]): Width and height in pixels.
    """

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
            TypeError: If the source is a camera, and no end was given.
        """
        if self._end is None:
            raise TypeError(f'{self.source} has no last frame')
        return self._end - self.start

    @abstractmethod
    def __iter__(self) -> Iterator[np.ndarray]:
        """Read the frames, in order."""

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}({self.source!r}, '
                f'start={self.start}, end={self._end}, fps={self.fps:g}, '
                f'size={self.size})')


class VideoFrames(Frames):
    """Frames of a video file.

    Frames are counted by decoding, and those in front of ``start`` are read
    and dropped: both the count that a container claims and seeking in it may
    be off by some frames.
    """

    def __init__(self, source: str, start: int, end: Optional[int]) -> None:
        # A range that makes no sense is refused with the number of frames.
        stop = end if end is not None and 0 <= start < end else None
        with _Capture(source) as capture:
            count, first = 0, None
            while count != stop and capture.grab():
                if count == start:
                    first = capture.retrieve()[1]
                count += 1
            claimed = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            fps = capture.get(cv2.CAP_PROP_FPS)
        if not count:
            raise FrameError(f'video {source!r} is empty: it has no readable '
                             'frame')
        missing = claimed - count
        if stop is None and missing > max(_TOLERATED_FRAMES,
                                         _TOLERATED_SHARE * claimed):
            raise FrameError(
                f'video {source!r} is truncated or damaged: {count} of its '
                f'{claimed} frames can be read (end={count} takes just these)')
        end = _check_range(source, start, end, count)
        if first is None:
            raise _unreadable(source, start)
        super().__init__(source, start, end, fps, _size_of(first))

    def __iter__(self) -> Iterator[np.ndarray]:
        with _Capture(self.source) as capture:
            for index in range(self._end):
                good = capture.grab()
                if good and index < self.start:
                    continue
                good, frame = capture.retrieve() if good else (False, None)
                if not good:
                    raise _unreadable(self.source, index)
                yield frame


class FolderFrames(Frames):
    """Frames in a folder, one image file each, in natural order."""

    def __init__(self, source: str, start: int, end: Optional[int]) -> None:
        self.paths = _list_images(source)
        if not self.paths:
            raise FrameError(
                f'folder {source!r} is empty: it holds no images '
                f'({", ".join(SUFFIXES)})')
        end = _check_range(source, start, end, len(self.paths))
        size = _size_of(_read_image(self.paths[start]))
        super().__init__(source, start, end, DEFAULT_FPS, size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for path in self.paths[self.start:self._end]:
            frame = _read_image(path)
            if _size_of(frame) != self.size:
                width, height = _size_of(frame)
                raise FrameError(
                    f'image {path!r} is {width}x{height}, but the first one, '
                    f'{self.paths[self.start]!r}, is '
                    f'{self.size[0]}x{self.size[1]}')
            yield frame


class CameraFrames(Frames):
    """Frames of a camera, without an end if none is given.

    Iterating again goes on with the live picture.
    """

    def __init__(self, source: str, start: int, end: Optional[int]) -> None:
        _check_range(source, start, end, None)
        self._capture = _Capture(source, camera=True)
        good, frame = self._capture.read()
        if not good:
            raise FrameError(f'camera {source} gives no picture')
        super().__init__(source, start, end,
                         self._capture.get(cv2.CAP_PROP_FPS), _size_of(frame))

    def __iter__(self) -> Iterator[np.ndarray]:
        index = 0
        while self._end is None or index < self._end:
            good, frame = self._capture.read()
            if not good:
                raise FrameError(f'camera {self.source} stopped at frame '
                                 f'{index}')
            if index >= self.start:
                yield frame
            index += 1


def open_frames(source: Union[str, int],
                start: int = 0,
                end: Optional[int] = None) -> Frames:
    """Open whatever holds the frames of one video.

    Args:
        source (str | int): A video file, a folder of images (or one that
            holds them in ``img``), or the number of a camera.
        start (int): First frame, counted from 0. Defaults to 0.
        end (int, optional): The frame behind the last one. Defaults to None:
            all there are.

    Returns:
        Frames: With ``len()``, ``fps`` and ``size``; iterable.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        TypeError: If ``start`` or ``end`` is not an integer.
        FrameError: (a ValueError) If no frames can be read from the source,
            or ``start`` and ``end`` do not fit their number.
    """
    start = operator.index(start)
    end = None if end is None else operator.index(end)
    source = str(source)
    if osp.isdir(source):
        return FolderFrames(source, start, end)
    if osp.isfile(source):
        if source.lower().endswith(SUFFIXES):
            raise FrameError(f'{source!r} is a single image: give the folder '
                             'that holds all of them')
        return VideoFrames(source, start, end)
    if source.isdecimal():
        return CameraFrames(source, start, end)
    raise FileNotFoundError(
        f'no frames at {source!r}: there is no such video file or folder')


class _Capture:
    """``cv2.VideoCapture`` that complains if there is nothing to capture.

    Args:
        source (str): File, or number of a camera.
        camera (bool): Which of them. Defaults to False.
    """

    def __init__(self, source: str, camera: bool = False) -> None:
        with quiet_opencv():
            if camera:
                self._capture = cv2.VideoCapture(int(source))
            else:
                # Other backends would take a numbered name for many files.
                self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise FrameError(
                f'camera {source} cannot be opened' if camera else
                f'{source!r} cannot be read as a video: it is empty, '
                'truncated or of an unknown format')

    def __getattr__(self, name: str):
        return getattr(self._capture, name)

    def __enter__(self) -> '_Capture':
        return self

    def __exit__(self, *exception: object) -> None:
        self._capture.release()


def _unreadable(video: str, index: int) -> FrameError:
    return FrameError(f'video {video!r}: frame {index} cannot be read')


def _check_range(source: str, start: int, end: Optional[int],
                 count: Optional[int]) -> Optional[int]:
    """Refuse a range outside the frames; ``count`` None: any number."""
    last = count if end is None else end
    if start < 0 or (last is not None and start >= last) or (
            count is not None and last > count):
        there = 'any number of' if count is None else str(count)
        raise FrameError(
            f'{source!r} has {there} frames: start={start} and end={end} must '
            f'be 0 <= start < end' + ('' if count is None else f' <= {count}'))
    return last


def _list_images(folder: str) -> List[str]:
    for path in (folder, osp.join(folder, sequence_folder.IMAGE_FOLDER)):
        # macOS leaves "._00000001.jpg" files that are no images.
        names = [
            name for name in (os.listdir(path) if osp.isdir(path) else ())
            if name.lower().endswith(SUFFIXES)
            and not name.startswith('.')
        ]
        if names:
            names.sort(key=sequence_folder.natural_key)
            return [osp.join(path, name) for name in names]
    return []


def _read_image(path: str) -> np.ndarray:
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise FrameError(f'{path!r} cannot be read: {error.strerror}'
                         ) from error
    # imdecode raises on an empty buffer.
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise FrameError(f'{path!r} cannot be read as an image')
    return image


def _size_of(image: np.ndarray) -> Tuple[int, int]:
    return image.shape[1], image.shape[0]
