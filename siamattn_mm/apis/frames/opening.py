"""Finding out what holds the frames."""
import operator
import os
import os.path as osp
import re
import stat
from importlib import import_module
from typing import Optional, Sequence, Union
from urllib.parse import unquote, urlsplit

from siamattn_mm.datasets.reading.value_stretch import ValueStretch

from .base import FrameError, Frames
from .camera import CameraFrames
from .folder import SUFFIXES, FolderFrames
from .pages import PageFrames, count_pages

_ADDRESS = re.compile(r'[a-zA-Z][a-zA-Z0-9+.-]*://')


def open_frames(source: Union[str, int, os.PathLike],
                start: int = 0,
                end: Optional[int] = None,
                value_range: Optional[Sequence[float]] = None) -> Frames:
    """Open whatever holds the frames of one video.

    Args:
        source (str | int | PathLike): A video file, a folder of images (or
            one that holds them in ``img``), a TIFF file of several pages, the
            number of a camera or its
            device file (``/dev/video0``), or the address of a stream
            (``rtsp://...``, ``http://...``).
        start (int): First frame, counted from 0. Defaults to 0.
        end (int, optional): The frame behind the last one. Defaults to None:
            all there are.
        value_range (Sequence[float], optional): For pixels of more than 8
            bits, as of thermal cameras: the values that become 0 and 255.
            Defaults to None: chosen once by the first frame, see
            :class:`~siamattn_mm.datasets.reading.value_stretch.ValueStretch`.

    Returns:
        Frames: With ``fps`` and ``size``; iterable. With ``len()``, unless it
        is a camera or a stream without ``end``.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        TypeError: If ``start`` or ``end`` is not an integer.
        ValueError: If ``value_range`` is not two numbers, low < high.
        FrameError: (a ValueError) If no frames can be read from the source,
            or ``start`` and ``end`` do not fit their number.
    """
    start = operator.index(start)
    end = None if end is None else operator.index(end)
    stretch = ValueStretch(value_range)
    source = _local(os.fsdecode(source) if isinstance(
        source, (bytes, os.PathLike)) else str(source))
    if osp.isdir(source):
        return FolderFrames(source, start, end, stretch)
    if osp.isfile(source):
        if source.lower().endswith(SUFFIXES):
            return _open_image(source, start, end, stretch)
        return _open_video('video.VideoFrames', source, start, end, stretch)
    if source.isdecimal() or _is_kind(source, stat.S_ISCHR):
        return CameraFrames(source, start, end)
    if _ADDRESS.match(source) or _is_kind(source, stat.S_ISFIFO):
        return _open_video('stream.StreamFrames', source, start, end, stretch)
    raise FileNotFoundError(
        f'no frames at {source!r}: there is no such video file or folder')


def _open_image(source: str, *args: object) -> Frames:
    pages = count_pages(source)
    if pages == 1:
        raise FrameError(f'{source!r} is a single image: give the folder that '
                         'holds all of them')
    if not source.lower().endswith(('.tif', '.tiff')):
        raise FrameError(
            f'{source!r} is an animation of {pages} pictures, of which TIFF '
            'and GIF are read: convert it, e.g. with Pillow, '
            'Image.open(IN).save("OUT.gif", save_all=True)')
    return PageFrames(source, *args)


def _open_video(kind: str, source: str, *args: object) -> Frames:
    """Make a reader that needs PyAV, which images and training do not."""
    module, name = kind.split('.')
    try:
        reader = import_module(f'.{module}', __package__)
    except ImportError as error:
        raise FrameError(
            f'{source!r} cannot be read: PyAV, which reads videos, is not '
            f'there ({error}); `pip install -r requirements/runtime.txt`'
        ) from error
    return getattr(reader, name)(source, *args)


def _local(source: str) -> str:
    """The file that ``file://`` means; anything else as it is."""
    if source.lower().startswith('file://'):
        return unquote(urlsplit(source).path, errors='surrogateescape')
    return source


def _is_kind(path: str, kind: object) -> bool:
    try:
        return kind(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
