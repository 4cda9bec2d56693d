"""Reading images and mask files, with a small cache."""
from typing import Callable, Optional

import cv2
import numpy as np
from PIL import Image

from siamattn_mm.utils.quiet_opencv import quiet_opencv

from ..storage.byte_cache import ByteCache
from .value_stretch import ValueStretch


class UnreadableFrameError(OSError):
    """An image or a mask of the data set could not be read.

    Args:
        path (str): The file.
        reason (str): What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f'cannot read {self.path}: {self.reason}'


class ImageReader:
    """Decodes files and keeps the last ones used.

    What comes out of it is read-only, since the next sample may get the same
    array.

    Args:
        cache_bytes (int): Decoded bytes to keep; 0 keeps nothing.
            Defaults to 0.
    """

    def __init__(self, cache_bytes: int = 0) -> None:
        self.cache = ByteCache(cache_bytes)

    def image(self, path: str) -> np.ndarray:
        """Read an image.

        Args:
            path (str): The file.

        Returns:
            ndarray: (H, W, 3) uint8, BGR, read-only.

        Raises:
            UnreadableFrameError: If there is no such file, or no image in it.
        """
        return self._cached(path, _decode_image)

    def mask(self, path: str) -> np.ndarray:
        """Read a mask file without turning a palette into colours.

        Args:
            path (str): The file.

        Returns:
            ndarray: (H, W) uint8 object numbers or levels, read-only; uint16
            if one is above 255.

        Raises:
            UnreadableFrameError: If there is no such file, or no mask in it.
        """
        return self._cached(path, _decode_mask)

    def _cached(self, path: str,
                decode: Callable[[str], np.ndarray]) -> np.ndarray:

        def make() -> np.ndarray:
            array = decode(path)
            array.setflags(write=False)
            return array

        return self.cache.get((decode, path), make, lambda a: a.nbytes)


def read_bytes(path: str) -> np.ndarray:
    """Read a file.

    Args:
        path (str): The file.

    Returns:
        ndarray: (N,) uint8.

    Raises:
        UnreadableFrameError: If it cannot be read.
    """
    try:
        return np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise UnreadableFrameError(path, error.strerror) from error


def decode_image(data: np.ndarray,
                 path: str,
                 stretch: Optional[ValueStretch] = None) -> np.ndarray:
    """Decode an image file's content.

    Args:
        data (ndarray): (N,) uint8, from :func:`read_bytes`.
        path (str): The file, for the message.
        stretch (ValueStretch, optional): What makes 8 bits of images of more
            (thermal cameras), the same for all images of a video. Defaults to
            None: each has its own, which is good enough for training.

    Returns:
        ndarray: (H, W, 3) uint8, BGR.

    Raises:
        UnreadableFrameError: If it is no image.
    """
    return (stretch or ValueStretch())(decode_values(data, path))


def decode_values(data: np.ndarray, path: str) -> np.ndarray:
    """Decode an image file's content, with all bits that it has.

    Args:
        data (ndarray): (N,) uint8, from :func:`read_bytes`.
        path (str): The file, for the message.

    Returns:
        ndarray: (H, W, 3) BGR; uint8, or what the file has: uint16, float32.

    Raises:
        UnreadableFrameError: If it is no image.
    """
    image = _imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if image is None and data[:2].tobytes() in (b'II', b'MM'):
        # OpenCV makes no colours of a TIFF of floats.
        image = _imdecode(data, cv2.IMREAD_UNCHANGED)
        if image is not None:
            image = np.dstack([image] * 3) if image.ndim == 2 else (
                image[..., :3])
    if image is None or image.ndim != 3 or image.shape[2] != 3:
        raise UnreadableFrameError(path, 'not an image')
    return image


def read_unchanged(path: str) -> Optional[np.ndarray]:
    """Read an image with all its channels and bits.

    Args:
        path (str): The file; its name may be of any bytes.

    Returns:
        ndarray | None: (H, W) or (H, W, C); None if it cannot be read.
    """
    try:
        return _imdecode(read_bytes(path), cv2.IMREAD_UNCHANGED)
    except UnreadableFrameError:
        return None


def _imdecode(data: np.ndarray, flags: int) -> Optional[np.ndarray]:
    # It raises on an empty buffer and on some broken headers, and returns
    # None on anything else that it does not understand.
    try:
        with quiet_opencv():
            return cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        return None


def _decode_image(path: str) -> np.ndarray:
    return decode_image(read_bytes(path), path)


def _decode_mask(path: str) -> np.ndarray:
    # OpenCV would return a palette's colours, the palette's numbers are
    # needed: they say which object.
    try:
        with Image.open(path) as file:
            mask, mode = np.array(file), file.mode
    except OSError as error:
        raise UnreadableFrameError(
            path, error.strerror or 'not an image') from error
    if mask.ndim == 3:
        # Pillow drops the lower half of 16-bit colours, which may be all.
        deep = decode_values(read_bytes(path), path)
        if deep.dtype == np.uint8:
            # The last channel of "LA" and "RGBA" is how opaque a pixel is.
            deep = mask[..., :-1] if mode.endswith('A') else mask[..., :3]
        mask = deep.max(axis=2)
    return _small_numbers(mask)


def _small_numbers(mask: np.ndarray) -> np.ndarray:
    """As uint8 or uint16, so that what is above 0 stays above 0."""
    if mask.dtype.kind == 'f':
        return (mask > 0).astype(np.uint8)
    if mask.dtype.kind in 'iu' and mask.size and mask.max() > 255:
        return np.clip(mask, 0, 65535).astype(np.uint16)
    return np.maximum(mask, 0).astype(np.uint8)
