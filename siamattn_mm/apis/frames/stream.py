"""Frames that come over a network, or out of a pipe."""
import shutil
import tempfile
import urllib.request
from typing import IO, Iterator, Optional

import av
import numpy as np

from siamattn_mm.datasets.reading.value_stretch import ValueStretch
from siamattn_mm.utils.downloads import without_password

from .base import FrameError, Frames, check_range, size_of
from .container import Container, reason_of
from .pixels import frame_values, to_bgr

# Seconds without an answer.
TIMEOUT = 10.


class StreamFrames(Frames):
    """Frames of an address such as ``rtsp://...`` or ``http://...``.

    Nobody knows how many there are, so there is no ``len()`` unless an end is
    given. A stream that ends, as that of a file does, ends the iteration;
    iterating again opens it again. Iterating again before its end goes on
    with the live picture. Lost packets are left out.

    Args:
        source (str): The address, or a named pipe.
        start (int): First frame, counted from 0.
        end (int, optional): The frame behind the last one.
        stretch (ValueStretch): For grey of more than 8 bits.

    Raises:
        FrameError: If it cannot be opened within some seconds, or gives no
            picture.
    """

    def __init__(self, source: str, start: int, end: Optional[int],
                 stretch: ValueStretch) -> None:
        check_range(source, start, end, None)
        self._name = f'stream {without_password(source)!r}'
        self._address = source
        self._stretch = stretch
        fps = self._open()
        first = self._next()
        if first is None and self._broken is not None:
            # Its index was found, but the way back to the frames was not.
            file = _fetched(self._address)
            if file is not None:
                fps = self._open(file)
                first = self._next()
        if first is None:
            raise FrameError(f'{self._name} gives no picture')
        self._first: Optional[np.ndarray] = first
        super().__init__(without_password(source), start, end, fps,
                         size_of(first))

    def __iter__(self) -> Iterator[np.ndarray]:
        if self._video is None:
            self._open()
        index = 0
        while self._end is None or index < self._end:
            frame = self._first if self._first is not None else self._next()
            self._first = None
            if frame is None:
                self._check_end(index)
                return
            if size_of(frame) != self.size:
                raise FrameError(
                    f'{self._name}: frame {index} is {frame.shape[1]}x'
                    f'{frame.shape[0]}, but the first one is {self.size[0]}x'
                    f'{self.size[1]}')
            if index >= self.start:
                yield frame
            index += 1

    def _open(self, file: Optional[IO[bytes]] = None) -> float:
        self._video: Optional[Container] = _container(self._address,
                                                      self._name, file)
        self._decoded = self._video.frames(strict=False)
        self._first = None
        return self._video.fps

    def _next(self) -> Optional[np.ndarray]:
        frame = next(self._decoded, None)
        if frame is not None:
            return to_bgr(frame_values(frame), self._stretch)
        self._broken = self._video.broken
        self._video.close()
        self._video = None
        return None

    def _check_end(self, index: int) -> None:
        if self._broken is not None:
            raise FrameError(f'{self._name} stopped at frame {index}: '
                             f'{reason_of(self._broken)}')
        if index <= self.start or self._end is not None:
            raise FrameError(f'{self._name} ended at frame {index}, but '
                             f'start={self.start} and end={self._end}')


def _container(address: str, name: str,
               file: Optional[IO[bytes]]) -> Container:
    """Open an address, or what was fetched from it."""
    if file is None and '://' not in address:
        file = open(address, 'rb')  # a named pipe
    options = {}
    if address.lower().startswith('rtsp'):
        # Over UDP, packets that get lost would smear the picture.
        options['rtsp_transport'] = 'tcp'
    try:
        if file is None:
            return Container(address, name, TIMEOUT, options)
    except (av.FFmpegError, OSError) as error:
        if type(error) in (av.error.OSError, av.error.InvalidDataError):
            file = _fetched(address)
        if file is None:
            raise FrameError(
                f'{name} cannot be opened: {reason_of(error)}') from error
    try:
        return Container(file, name)
    except (av.FFmpegError, OSError, EOFError) as error:
        raise FrameError(f'{name} cannot be read as a video') from error


def _fetched(address: str) -> Optional[IO[bytes]]:
    """A whole file of a web server; None if it is none, or cannot be had.

    Some files begin at their end, and not every server can seek.
    """
    if not address.lower().startswith('http'):
        return None
    return _download(address)


def _download(address: str) -> Optional[IO[bytes]]:
    """A file of known length; a live picture has none."""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            if answer.headers.get('Content-Length') is None:
                return None
            file = tempfile.TemporaryFile()
            shutil.copyfileobj(answer, file)
    except (OSError, ValueError):
        return None
    file.seek(0)
    return file
