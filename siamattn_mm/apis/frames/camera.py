"""Frames of a camera."""
import re
from typing import Iterator, Optional, Union

import cv2
import numpy as np

from siamattn_mm.utils.quiet_opencv import quiet_opencv

from .base import FrameError, Frames, check_range, size_of


class CameraFrames(Frames):
    """Frames of a camera, without an end if none is given.

    Iterating again goes on with the live picture.

    Args:
        source (str): Number of the camera, or its device file.
        start (int): First frame, counted from 0.
        end (int, optional): The frame behind the last one.
    """

    def __init__(self, source: str, start: int, end: Optional[int]) -> None:
        check_range(source, start, end, None)
        with quiet_opencv():
            self._capture = _capture(source)
        if not self._capture.isOpened():
            raise FrameError(f'camera {source} cannot be opened')
        good, frame = self._capture.read()
        if not good:
            raise FrameError(f'camera {source} gives no picture')
        super().__init__(source, start, end,
                         self._capture.get(cv2.CAP_PROP_FPS), size_of(frame))

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


def _capture(source: str) -> cv2.VideoCapture:
    device: Union[str, int] = source
    numbered = re.fullmatch(r'(?:/dev/video)?(\d+)', source)
    if numbered:
        return cv2.VideoCapture(int(numbered.group(1)))
    # A link such as /dev/v4l/by-id/...: no other backend takes names.
    return cv2.VideoCapture(device, cv2.CAP_V4L2)
