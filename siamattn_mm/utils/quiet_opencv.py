"""OpenCV without its own messages, where we have a better one."""
import contextlib
from typing import Iterator

import cv2

_SILENT = 0


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Let OpenCV's logger say nothing inside this context."""
    level = cv2.getLogLevel()
    cv2.setLogLevel(_SILENT)
    try:
        yield
    finally:
        cv2.setLogLevel(level)
