"""Writing a video, whole or not at all."""
import contextlib
from typing import Callable, Iterator, Tuple

import numpy as np

from siamattn_mm.utils.files import written_whole


@contextlib.contextmanager
def written_video(path: str, size: Tuple[int, int],
                  fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """Write a video; it gets its name when it is complete and readable.

    Args:
        path (str): Where it shall be, ``.mp4``.
        size (tuple[int, int]): Width and height of the frames. A last odd
            row or column is lost: codecs want even sides.
        fps (float): Frames a second.

    Yields:
        Callable[[np.ndarray], None]: Takes one frame, (H, W, 3) uint8, BGR;
        raises ValueError if it has another shape or type.

    Raises:
        OSError: If there is no codec for it, or it cannot be written or read
            again (a full disk, for one).
    """
    # Here, since training, which draws pictures too, needs no PyAV.
    from .av_writer import AvWriter
    with written_whole(path) as temporary:
        with _named(path):
            writer = AvWriter(temporary, size, fps)
        count = 0

        def write(frame: np.ndarray) -> None:
            nonlocal count
            expected = (size[1], size[0], 3)
            # What does not fit would be cut off without a word.
            if frame.shape != expected or frame.dtype != np.uint8:
                raise ValueError(
                    f'{path!r} takes uint8 frames of shape {expected}, but '
                    f'got {frame.dtype} of shape {frame.shape}')
            with _named(path):
                writer.write(frame)
            count += 1

        try:
            yield write
        except BaseException:
            writer.abandon()
            raise
        with _named(path):
            writer.close()
        _check_readable(temporary, path, count)


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """Errors of FFmpeg name the file that is meant."""
    import av
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise OSError(f'{path!r} cannot be written: {reason}') from error


def _check_readable(temporary: str, path: str, count: int) -> None:
    import av
    found = 0
    with contextlib.suppress(av.FFmpegError, OSError):
        with open(temporary, 'rb') as file, av.open(file) as container:
            found = sum(1 for packet in container.demux(video=0)
                        if packet.size)
    if not count or found != count:
        raise OSError(f'{path!r}: wrote {count} frames, but {found} of them '
                      'can be read; is the disk full?')
