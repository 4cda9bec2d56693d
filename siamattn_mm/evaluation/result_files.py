"""Result files that are either complete or not there."""
from typing import Iterable

import cv2
import numpy as np

from siamattn_mm.utils import written_whole


def write_atomically(path: str, data: bytes) -> None:
    """Write a file under a temporary name, then rename it.

    Whoever reads ``path`` finds the old content or the new one, whenever this
    is interrupted. Missing folders are made.

    Args:
        path (str): The file.
        data (bytes): Its content.
    """
    with written_whole(path) as temporary:
        with open(temporary, 'wb') as file:
            file.write(data)


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Write lines of text.

    Args:
        path (str): The file.
        lines (Iterable[str]): Without their ends.
    """
    write_atomically(path, ''.join(f'{line}\n' for line in lines).encode())


def write_rows(path: str, rows: np.ndarray, decimals: int) -> None:
    """Write numbers as text, one row a line, separated by commas.

    Args:
        path (str): The file.
        rows (ndarray): (N,) or (N, K) numbers.
        decimals (int): Digits behind the decimal point.
    """
    table = np.asarray(rows).reshape(len(rows), -1)
    write_lines(
        path, (','.join(f'{value:.{decimals}f}' for value in row)
               for row in table))


def write_mask(path: str, mask: np.ndarray) -> None:
    """Write a mask as a PNG file of 0 and 255.

    Args:
        path (str): The file.
        mask (ndarray): (H, W) bool.
    """
    _, data = cv2.imencode('.png', mask.astype(np.uint8) * 255)
    write_atomically(path, data.tobytes())
