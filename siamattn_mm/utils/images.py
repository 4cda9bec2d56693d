"""Writing pictures."""
import os
from typing import Sequence

import cv2
import numpy as np

from .files import written_whole


def write_image(path: str, image: np.ndarray,
                params: Sequence[int] = ()) -> None:
    """Write a picture, whole or not at all.

    ``cv2.imwrite`` ends the process at a name that is no UTF-8.

    Args:
        path (str): The file; its suffix says the format.
        image (np.ndarray): (H, W) or (H, W, 3), BGR.
        params (Sequence[int]): OpenCV's, of the format. Defaults to ().

    Raises:
        OSError: If it cannot be written.
    """
    content = cv2.imencode(os.path.splitext(path)[1], image, params)[1]
    with written_whole(path) as temporary:
        content.tofile(temporary)
