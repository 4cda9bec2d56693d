"""Reading the numbers of annotation files fast."""
import os.path as osp

import numpy as np


def read_numbers(path: str, columns: int = 1) -> np.ndarray:
    """Read a text file of numbers.

    Args:
        path (str): The file; commas, tabs, spaces and line ends separate its
            numbers.
        columns (int): Numbers a line; 1 for a plain list, which may stand on
            one line. Defaults to 1.

    Returns:
        ndarray: (N, columns) float64, or (N,) for one column.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If something is no number, or a line has another number
            of them.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no annotation file {path}')
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        text = file.read()
    if columns > 1:
        _check_lines(path, text, columns)
    words = text.replace(',', ' ').split()
    try:
        numbers = np.array([float(word) for word in words])
        if '_' in text:  # Python takes "1_000", which no annotation means
            raise ValueError('"_" is no part of a number')
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    return numbers.reshape(-1, columns) if columns > 1 else numbers


def _check_lines(path: str, text: str, columns: int) -> None:
    """Refuse lines of another number of numbers, such as decimal commas."""
    for number, line in enumerate(text.splitlines(), start=1):
        count = len(line.replace(',', ' ').split())
        if count in (0, columns):
            continue
        hint = ''
        if len(line.split()) == columns:
            hint = '; are these decimal commas? Write points'
        raise ValueError(f'{path}, line {number}: {count} numbers; expected '
                         f'{columns} a line{hint}')


def read_flags(path: str, length: int) -> np.ndarray:
    """Read one number for each frame of a video.

    Args:
        path (str): The file.
        length (int): Frames of the video.

    Returns:
        ndarray: (length,) float64.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has another number of entries, or something is no
            number.
    """
    flags = read_numbers(path)
    if len(flags) != length:
        raise ValueError(f'{path}: {len(flags)} entries for a video of '
                         f'{length} frames')
    return flags


def read_lines(path: str) -> list:
    """Read a list of names.

    Args:
        path (str): The file, a name a line.

    Returns:
        list[str]: The names; empty lines are left out.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has no name.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no list {path}')
    with open(path, encoding='utf-8-sig') as file:
        names = [line.strip() for line in file if line.strip()]
    if not names:
        raise ValueError(f'{path}: the list is empty')
    return names
