"""Writing a video, whole or not at all."""
import contextlib
from typing import Callable, Iterator, Tuple, Union

import cv2
import numpy as np

from siamattn_mm.utils.files import written_whole
from siamattn_mm.utils.quiet_opencv import quiet_opencv

from .ffmpeg_writer import FfmpegWriter

# OpenCV's. H.264 plays in browsers too, but not every build can write it:
# then comes imageio-ffmpeg, if it is installed, then what no browser plays.
H264, FALLBACK = 'avc1', 'mp4v'


@contextlib.contextmanager
def written_video(path: str, size: Tuple[int, int],
                  fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """Write a video; it gets its name when it is complete and readable.

    Args:
        path (str): Where it shall be, ``.mp4``.
        size (tuple[int, int]): Width and height of the frames. A last odd
            row or column may be lost: codecs want even sides.
        fps (float): Frames a second.

    Yields:
        Callable[[np.ndarray], None]: Takes one frame, (H, W, 3) uint8, BGR;
        raises ValueError if it has another shape or type.

    Raises:
        OSError: If OpenCV has no codec for it, or what was written cannot be
            read again (a full disk, for one).
    """
    with written_whole(path) as temporary:
        writer = _open_writer(temporary, path, size, fps)
        count = 0

        def write(frame: np.ndarray) -> None:
            nonlocal count
            expected = (size[1], size[0], 3)
            # OpenCV would leave such a frame out without a word.
            if frame.shape != expected or frame.dtype != np.uint8:
                raise ValueError(
                    f'{path!r} takes uint8 frames of shape {expected}, but '
                    f'got {frame.dtype} of shape {frame.shape}')
            writer.write(frame)
            count += 1

        try:
            yield write
        finally:
            writer.release()
        _check_readable(temporary, path, count)


def _open_writer(temporary: str, path: str, size: Tuple[int, int],
                 fps: float) -> Union[cv2.VideoWriter, FfmpegWriter]:

    def opencv(codec: str) -> cv2.VideoWriter:
        return cv2.VideoWriter(temporary, cv2.VideoWriter_fourcc(*codec), fps,
                               size)

    # Codecs that are not there are no news.
    with quiet_opencv():
        for make in (lambda: opencv(H264),
                     lambda: FfmpegWriter(temporary, size, fps),
                     lambda: opencv(FALLBACK)):
            writer = make()
            if writer.isOpened():
                return writer
    raise OSError(
        f'this OpenCV cannot write {path!r} ({size[0]}x{size[1]}, {fps:g} '
        f'frames a second) with any of the codecs {H264}, {FALLBACK}')


def _check_readable(temporary: str, path: str, count: int) -> None:
    capture = cv2.VideoCapture(temporary, cv2.CAP_FFMPEG)
    found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    good = capture.read()[0]
    capture.release()
    if not good or found != count:
        raise OSError(f'{path!r}: wrote {count} frames, but {found} of them '
                      'can be read; is the disk full?')
