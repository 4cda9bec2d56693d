"""Frames of a video file."""
import contextlib
import warnings
from typing import Iterator, List, Optional

import av
import numpy as np

from siamattn_mm.datasets.reading.value_stretch import ValueStretch

from .base import FrameError, Frames, check_range, size_of
from .container import Container, DecodeError
from .pixels import frame_values, to_bgr

# Containers may count frames that no decoder gives out, an estimate from the
# duration. More is a broken file.
_TOLERATED_FRAMES = 2
_TOLERATED_SHARE = 0.02


class VideoFrames(Frames):
    """Frames of a video file, as a player shows them.

    They are upright if the file says how it is to be turned, and what an edit
    list cuts off is not there. Frames are counted by decoding, and those in
    front of ``start`` are read and dropped: both the count that a container
    claims and seeking in it may be off by some frames.

    The range of grey of more than 8 bits is chosen by the video's first frame
    that is not all of one value, whatever ``start`` is.
    """

    def __init__(self, source: str, start: int, end: Optional[int],
                 stretch: ValueStretch) -> None:
        self._stretch = stretch
        # A range that makes no sense is refused with the number of frames.
        stop = end if end is not None and 0 <= start < end else None
        with _open(source) as video:
            count, size, patched = self._count(video, source, stop)
            fps = video.fps
            if not count:
                raise FrameError(
                    f'video {source!r} is empty: it has no readable frame '
                    f'(codec {video.codec})')
            missing, claimed = video.missing(count)
        if stop is None and missing > max(_TOLERATED_FRAMES,
                                         _TOLERATED_SHARE * claimed):
            raise FrameError(
                f'video {source!r} is truncated or damaged: {count} of its '
                f'{claimed} frames can be read (end={count} takes just these)')
        end = check_range(source, start, end, count)
        _warn_of(source, [i for i in patched if start <= i < end])
        super().__init__(source, start, end, fps, size)

    def _count(self, video: Container, source: str,
               stop: Optional[int]) -> tuple:
        """Number of frames, their size, and which of them are patched."""
        count, size, stored, patched = 0, None, None, []
        try:
            for frame in video.frames():
                if stored is None:
                    size = size_of(frame_values(frame))
                    stored = frame.width, frame.height
                elif (frame.width, frame.height) != stored:
                    raise FrameError(
                        f'video {source!r}: frame {count} is {frame.width}x'
                        f'{frame.height}, but those in front of it are '
                        f'{stored[0]}x{stored[1]} (end={count} takes just '
                        'these)')
                if self._stretch.value_range is None:
                    self._learn(frame)
                if frame.is_corrupt:
                    patched.append(count)
                count += 1
                if count == stop:
                    break
        except DecodeError as error:
            hint = f'; end={count} takes the frames in front of it'
            raise FrameError(
                f'video {source!r} is damaged: frame {count} cannot be '
                f'decoded ({error}){hint if count else ""}') from error
        return count, size, patched

    def _learn(self, frame: av.VideoFrame) -> None:
        # Most videos have 8 bits: nothing to convert for.
        if max(part.bits for part in frame.format.components) > 8:
            self._stretch.learn(frame_values(frame))

    def __iter__(self) -> Iterator[np.ndarray]:
        index = 0
        with _open(self.source) as video:
            with contextlib.suppress(DecodeError):
                for frame in video.frames():
                    if index >= self.start:
                        image = to_bgr(frame_values(frame), self._stretch)
                        if size_of(image) != self.size:
                            break
                        yield image
                    index += 1
                    if index == self._end:
                        return
        raise FrameError(
            f'video {self.source!r}: frame {index} cannot be read')


def _warn_of(source: str, patched: List[int]) -> None:
    if patched:
        shown = ', '.join(map(str, patched[:5])) + ', ...' * (len(patched) > 5)
        warnings.warn(
            f'video {source!r}: {len(patched)} of its frames are damaged '
            f'({shown}); the decoder patches what it cannot read',
            stacklevel=4)


@contextlib.contextmanager
def _open(source: str) -> Iterator[Container]:
    """Open a file, whatever bytes its name is made of."""
    try:
        file = open(source, 'rb')
    except OSError as error:
        raise FrameError(
            f'{source!r} cannot be read: {error.strerror}') from error
    with file:
        try:
            container = Container(file, f'video {source!r}')
        except (av.FFmpegError, OSError, EOFError) as error:
            raise FrameError(
                f'{source!r} cannot be read as a video: it is empty, '
                'truncated or of an unknown format') from error
        with container:
            yield container
