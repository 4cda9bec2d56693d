"""PNG files of object numbers with DAVIS's colours."""
import io
from typing import List

import numpy as np
from PIL import Image


def davis_palette() -> List[int]:
    """PASCAL VOC's colours, which DAVIS and YouTube-VOS use.

    Returns:
        list[int]: 256 times red, green, blue. The bits of a number are spread
        over the three, the lowest ones becoming the highest.
    """
    palette = []
    for number in range(256):
        color = [0, 0, 0]
        for i in range(8):
            bits = number >> 3 * i
            for channel in range(3):
                color[channel] |= (bits >> channel & 1) << (7 - i)
        palette += color
    return palette


def encode_palette_png(numbers: np.ndarray) -> bytes:
    """A PNG file whose pixels are object numbers.

    Args:
        numbers (ndarray): (H, W) uint8.

    Returns:
        bytes: The file.
    """
    image = Image.fromarray(np.ascontiguousarray(numbers, dtype=np.uint8))
    image = image.convert('L')
    image.putpalette(davis_palette())
    file = io.BytesIO()
    image.save(file, format='PNG')
    return file.getvalue()
