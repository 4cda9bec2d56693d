"""Reading the files of benchmarks, with errors that name file and line."""
import os.path as osp
from typing import List, Sequence, Tuple

import numpy as np

from ..reading.ground_truth import (
    SequenceFolderError,
    check_length,
    read_ground_truth,
)
from ..reading.image_files import IMAGE_SUFFIXES, list_files


def read_lines(path: str, what: str) -> List[str]:
    """Lines of a text file without what is empty at its end.

    Args:
        path (str): The file.
        what (str): What it holds, for the message.

    Returns:
        list[str]: At least one line.

    Raises:
        SequenceFolderError: If there is no such file, or nothing in it.
    """
    if not osp.isfile(path):
        raise SequenceFolderError(f'{path}: no such file; expected {what}')
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        lines = file.read().rstrip().splitlines()
    if not lines:
        raise SequenceFolderError(f'{path}, line 1: the file is empty; '
                                  f'expected {what}')
    return lines


def read_names(path: str) -> List[str]:
    """A list file: one name a line.

    Args:
        path (str): The file.

    Returns:
        list[str]: The names; empty lines are left out.

    Raises:
        SequenceFolderError: If there is no such file, nothing in it, or a
            name twice.
    """
    names = []
    for number, line in enumerate(read_lines(path, 'one name a line'), 1):
        name = line.strip()
        if name in names:
            raise SequenceFolderError(
                f'{path}, line {number}: {name!r} is there twice')
        if name:
            names.append(name)
    return names


def list_frames(folder: str) -> List[str]:
    """Names of the images of one sequence.

    Args:
        folder (str): Where they are.

    Returns:
        list[str]: At least one, in natural order.

    Raises:
        SequenceFolderError: If there is no such folder, or no image in it.
    """
    if not osp.isdir(folder):
        raise SequenceFolderError(
            f'{folder}: no such folder; expected the frames of a sequence')
    names = list_files(folder, IMAGE_SUFFIXES)
    if not names:
        raise SequenceFolderError(
            f'{folder}: no images; expected {", ".join(IMAGE_SUFFIXES)} files')
    return names


def read_truth(path: str,
               frame_names: Sequence[str],
               first_only: bool = False) -> tuple:
    """The ground truth of one sequence, one line per frame.

    Args:
        path (str): The file, see
            :func:`siamattn_mm.datasets.reading.sequence_folder.read_ground_truth`.
        frame_names (Sequence[str]): N images.
        first_only (bool): Whether the file may hold the first frame's line
            alone, as where the rest is kept on a server. Defaults to False.

    Returns:
        tuple[ndarray, ndarray | None]: (N, 4) float32 x, y, w, h in pixels,
        nan where the target is absent or nothing is known; (N, 8) corners, or
        None if no line has 8 numbers.

    Raises:
        SequenceFolderError: If there is no such file, or a line of it is
            wrong, missing or too many.
    """
    read_lines(path, 'one box a line')
    boxes, polygons = read_ground_truth(path)
    if first_only and len(boxes) == 1:
        return tuple(
            None if rows is None else _only_first(rows, len(frame_names))
            for rows in (boxes, polygons))
    check_length(path, len(boxes), frame_names)
    return boxes, polygons


def read_flags(path: str, num: int) -> np.ndarray:
    """Zeros and ones, with commas between them or a line each.

    Args:
        path (str): The file.
        num (int): How many there must be.

    Returns:
        ndarray: (num,) bool.

    Raises:
        SequenceFolderError: If there is no such file, if something in it is
            neither 0 nor 1, or if the number differs.
    """
    flags = []
    for number, line in enumerate(read_lines(path, f'{num} flags'), 1):
        for word in line.replace(',', ' ').split():
            if word not in ('0', '1'):
                raise SequenceFolderError(
                    f'{path}, line {number}: {word!r}; expected 0 or 1')
            flags.append(word == '1')
    if len(flags) != num:
        raise SequenceFolderError(
            f'{path}, line {number}: {len(flags)} flags in the file; '
            f'expected {num}')
    return np.array(flags, dtype=bool)


def read_attributes(folder: str, names: Sequence[str],
                    attributes: Sequence[str]) -> Tuple[str, ...]:
    """The attributes of one sequence, if there is a file of them.

    Args:
        folder (str): Where the toolkit's ``<sequence>.txt`` are: one flag per
            attribute. It need not exist.
        names (Sequence[str]): What the file may be called, any case.
        attributes (Sequence[str]): The attributes, in the file's order.

    Returns:
        tuple[str, ...]: Those that the sequence has; none without a file.

    Raises:
        SequenceFolderError: If the file has anything but one flag each.
    """
    if not osp.isdir(folder):
        return ()
    wanted = {f'{name}.txt'.lower() for name in names}
    for name in list_files(folder, ('.txt', )):
        if name.lower() in wanted:
            flags = read_flags(osp.join(folder, name), len(attributes))
            return tuple(a for a, flag in zip(attributes, flags) if flag)
    return ()


def _only_first(rows: np.ndarray, num: int) -> np.ndarray:
    padded = np.full((num, rows.shape[1]), np.nan, dtype=rows.dtype)
    padded[0] = rows[0]
    return padded
