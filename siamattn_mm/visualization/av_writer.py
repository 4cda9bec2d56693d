"""Encoding a video with PyAV."""
from fractions import Fraction
from typing import Dict, Tuple

import av
import numpy as np
from av.video.stream import VideoStream

# H.264 plays in browsers too; MPEG-4 is there in every FFmpeg.
CODECS: Tuple[str, ...] = ('libx264', 'libopenh264', 'mpeg4')
_OPTIONS: Dict[str, Dict[str, str]] = dict(
    libx264=dict(crf='20', preset='veryfast', threads='1'))


class AvWriter:
    """Writes the frames of an MP4, in a codec that browsers play if possible.

    Args:
        path (str): The file; its name may be of any bytes.
        size (tuple[int, int]): Width and height of the frames. A last odd row
            or column is lost: the codecs want even sides.
        fps (float): Frames a second.

    Raises:
        OSError: If there is no codec for it, or the file cannot be opened.
    """

    def __init__(self, path: str, size: Tuple[int, int], fps: float) -> None:
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        # FFmpeg takes names in UTF-8 alone; the one it is given here says
        # what kind of file it is.
        self._file = open(path, 'wb')
        self._count = 0
        try:
            self._container = av.open(
                self._file,
                'w',
                format='mp4',
                # The index in front: a browser plays before it has all.
                options=dict(movflags='+faststart'))
            self._stream = self._add_stream(fps)
        except Exception:
            self._file.close()
            raise

    def _add_stream(self, fps: float) -> VideoStream:
        for codec in CODECS:
            if codec not in av.codec.codecs_available or not all(self._size):
                continue
            stream = self._container.add_stream(
                codec,
                rate=Fraction(fps).limit_denominator(10000),
                options=_OPTIONS.get(codec, {}))
            stream.width, stream.height = self._size
            stream.pix_fmt = 'yuv420p'
            return stream
        raise OSError(f'no codec of {", ".join(CODECS)} can write '
                      f'{self._size[0]}x{self._size[1]}, {fps:g} frames a '
                      'second')

    def write(self, frame: np.ndarray) -> None:
        """Write a frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.

        Raises:
            OSError: If it cannot be written.
        """
        width, height = self._size
        picture = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(frame[:height, :width]), format='bgr24')
        picture.pts = self._count
        picture.time_base = 1 / self._stream.codec_context.framerate
        self._container.mux(self._stream.encode(picture))
        self._count += 1

    def close(self) -> None:
        """Write the file's end.

        Raises:
            OSError: If it cannot be written.
        """
        try:
            if self._count:
                self._container.mux(self._stream.encode())
            self._container.close()
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file without its end: it is not wanted."""
        self._file.close()
