"""A video file or stream, decoded by PyAV: it reads what ffmpeg reads."""
from typing import IO, Iterator, List, Optional, Tuple, Union

import av
from av.video.stream import VideoStream

from .base import FrameError
from .codec_tags import codec_tags

# Of these, the header says how long they are, but not how many frames.
_STATED_DURATION = ('matroska', 'asf', 'flv')
# A broadcast that lost some packets is still shown.
_MARKS_LOSSES = 'mpegts'


class DecodeError(Exception):
    """A frame in the middle cannot be decoded."""


class Container:
    """An open video, read once from its beginning.

    Args:
        source (str | IO): Address, or a file opened for reading bytes, which
            is closed in the end. Names of files are not taken: FFmpeg reads a
            colon or a percent sign in them as something else, and knows UTF-8
            alone.
        name (str): What messages call it.
        timeout (float, optional): Seconds without an answer after which
            opening and reading fail. Defaults to None: never.
        options (dict, optional): FFmpeg's. Defaults to None.

    Raises:
        FrameError: If it holds no video, or none that can be decoded.
        av.FFmpegError: If it cannot be opened.
    """

    def __init__(self,
                 source: Union[str, IO[bytes]],
                 name: str,
                 timeout: Optional[float] = None,
                 options: Optional[dict] = None) -> None:
        self._source = source
        self._container = av.open(
            source,
            options=options or {},
            metadata_errors='replace',
            timeout=None if timeout is None else (timeout, timeout))
        # Why reading ended, if not because there was no more.
        self.broken: Optional[Exception] = None
        self._discarded = 0
        # Where the last packet ends: any stream's in seconds, and the
        # video's in units of its own.
        self._seen, self._last = 0., 0
        try:
            self._stream = _video_stream(self._container, name, source)
            # With a thread a frame, an error would come some frames late.
            self._stream.thread_type = 'SLICE'
        except Exception:
            self.close()
            raise

    def __enter__(self) -> 'Container':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, and the file that it was given."""
        self._container.close()
        if not isinstance(self._source, str):
            self._source.close()

    @property
    def fps(self) -> float:
        """float: Frames a second on average, 0 where it is not said."""
        return float(self._stream.average_rate or 0)

    @property
    def codec(self) -> str:
        """str: Its name."""
        return codec_name(self._stream)

    def frames(self, strict: bool = True) -> Iterator[av.VideoFrame]:
        """Decode the frames that a player shows, in order.

        What cannot be decoded in front of the first key frame belongs to
        something before the file's start, and is left out.

        Args:
            strict (bool): Whether damage behind it is an error. Defaults to
                True; False leaves such frames out, as a live picture does.

        Yields:
            av.VideoFrame: One by one.

        Raises:
            DecodeError: If a frame cannot be decoded, behind all frames that
                come before it.
        """
        started = False
        for packet in self._packets():
            started = started or packet is None or packet.is_keyframe
            try:
                frames = self._flushed() if packet is None else packet.decode()
            except (av.FFmpegError, EOFError) as error:
                if not (started and strict):
                    continue
                yield from self._flushed(packet.pts)
                raise DecodeError(reason_of(error)) from error
            yield from frames

    def _flushed(self, before: Optional[int] = None) -> List[av.VideoFrame]:
        """What the decoder holds back, for frames that refer to later ones."""
        try:
            frames = self._stream.codec_context.decode(None)
        except (av.FFmpegError, EOFError):
            return []
        return [
            frame for frame in frames
            if before is None or frame.pts is None or frame.pts < before
        ]

    def _packets(self) -> Iterator[Optional[av.Packet]]:
        """Packets of the video; None at the end of a file that breaks off."""
        timed = self._states_duration()
        packets = self._container.demux(*(() if timed else (self._stream, )))
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.FFmpegError, OSError) as error:
                self.broken = error
                yield None
                return
            if timed and packet.pts is not None and packet.time_base:
                end = packet.pts + (packet.duration or 0)
                self._seen = max(self._seen, float(end * packet.time_base))
            if packet.stream_index != self._stream.index:
                continue
            when = packet.dts if packet.pts is None else packet.pts
            self._last = max(self._last, (when or 0) + 1)
            if packet.is_corrupt and _MARKS_LOSSES not in self._format:
                yield None
                return
            self._discarded += bool(packet.size and packet.is_discard)
            yield packet

    @property
    def _format(self) -> str:
        return self._container.format.name

    def _states_duration(self) -> bool:
        return (self._stream.frames == 0 and self._container.duration
                is not None and any(name in self._format
                                    for name in _STATED_DURATION))

    def missing(self, count: int) -> Tuple[int, int]:
        """How many frames are not there, after reading to the end.

        Args:
            count (int): Frames that were decoded.

        Returns:
            tuple[int, int]: Missing ones, and how many there should be.
            0 and ``count`` where the container does not say.
        """
        if self._states_duration():
            stated = self._container.duration / av.time_base
            lost = max(0, round((stated - self._seen) * self.fps))
            return lost, count + lost
        claimed = self._stream.frames
        if claimed and 'mov' in self._format:
            # All frames that are stored, an edit list may show some of them.
            claimed = len(
                getattr(self._stream, 'index_entries', None)
                or ()) or claimed
        if 'avi' in self._format:
            # It counts in frames, and an empty one repeats the last.
            return max(0, claimed - max(count, self._last)), claimed
        claimed -= self._discarded
        return max(0, claimed - count), max(claimed, count)


def _video_stream(container: av.container.InputContainer, name: str,
                  source: Union[str, IO[bytes]]) -> VideoStream:
    """The stream to decode; a picture for the cover is not it."""
    streams = [s for s in container.streams if s.type == 'video']
    if not streams:
        raise FrameError(f'{name} holds no video stream')
    moving = [s for s in streams if not _is_cover(s)]
    stream = (moving or streams)[0]
    if stream.codec_context is None:
        tags = [] if isinstance(source, str) else codec_tags(source)
        raise FrameError(
            f'{name}: there is no decoder for its codec '
            f'({", ".join(tags) or "of unknown name"}); convert it where it '
            'plays, e.g. with `ffmpeg -i IN -c:v libx264 OUT.mp4`')
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return 'attached_pic' in str(getattr(stream, 'disposition', '')).lower()


def codec_name(stream: VideoStream) -> str:
    """A codec as people call it, with the four letters of the container."""
    context = stream.codec_context
    tag = context.codec_tag
    tag = f' ({tag})' if tag.isprintable() and tag.strip() else ''
    return getattr(context.codec, 'canonical_name', context.name) + tag


def reason_of(error: Exception) -> str:
    """What an error of FFmpeg says, without number and file.

    Args:
        error (Exception): Of PyAV.

    Returns:
        str: A few words.
    """
    if isinstance(error, av.error.ExitError):
        return 'no answer in time'
    return getattr(error, 'strerror', None) or str(error)
