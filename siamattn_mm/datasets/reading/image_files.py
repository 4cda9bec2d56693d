"""Names of image files in their order, and their sizes."""
import os
import re
from typing import List, Tuple

from PIL import Image

from .ground_truth import SequenceFolderError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
# The tag of a phone's JPEG files, after which OpenCV turns them.
_ORIENTATION, _ON_ITS_SIDE = 274, (5, 6, 7, 8)


def natural_key(name: str) -> tuple:
    """Sort key that puts ``2.jpg`` before ``10.jpg``.

    Args:
        name (str): A file name.

    Returns:
        tuple: The name cut into text and numbers; the name itself decides
        between ``1.jpg`` and ``01.jpg``.
    """
    parts = re.split(r'(\d+)', name)
    numbers = [int(part) for part in parts[1::2]]
    # Text and numbers alternate, so like is always compared with like.
    key = [part for pair in zip(parts[::2], numbers) for part in pair]
    return tuple(key + [parts[-1], name])


def list_files(path: str, suffixes: Tuple[str, ...]) -> List[str]:
    """Names of the files of some kinds in a folder.

    Args:
        path (str): The folder.
        suffixes (tuple[str, ...]): What their names end with, in lower case.

    Returns:
        list[str]: In natural order, without hidden ones.
    """
    # macOS leaves "._00000001.jpg" files that are no images.
    names = [
        name for name in os.listdir(path)
        if name.lower().endswith(suffixes) and not name.startswith('.')
    ]
    return sorted(names, key=natural_key)


def image_size(path: str) -> Tuple[int, int]:
    """Size of an image as it is decoded, of which only the header is read.

    Args:
        path (str): The file.

    Returns:
        tuple[int, int]: Width and height.

    Raises:
        SequenceFolderError: If it cannot be read.
    """
    try:
        with Image.open(path) as image:
            size = image.size
            # Of other formats, it may be behind the pixels.
            if image.format in ('JPEG', 'MPO') and image.getexif().get(
                    _ORIENTATION) in _ON_ITS_SIDE:
                size = size[::-1]
            return size
    except OSError as error:
        raise SequenceFolderError(
            f'{path}: cannot be read ({error})') from error
