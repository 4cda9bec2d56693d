"""Reading result files and writing archives, for the submissions."""
import io
import math
import os
import os.path as osp
import zipfile
from typing import Dict, Iterable, List, Optional, Tuple

import numpy as np

from siamattn_mm.utils import written_whole


class SubmissionError(ValueError):
    """Results or a submission are not as they must be.

    The message names the file, and the line where there is one.
    """


def read_text(path: str) -> str:
    """Content of a result file.

    Args:
        path (str): The file.

    Returns:
        str: Its text.

    Raises:
        SubmissionError: If there is no such file, or no text in it.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError as error:
        raise SubmissionError(
            f'{path}: no such file; has the sequence been tracked to its '
            'end?') from error
    except (OSError, UnicodeDecodeError) as error:
        raise SubmissionError(f'{path}: cannot be read ({error})') from error


def parse_rows(text: str, where: str, columns: int,
               num_rows: Optional[int]) -> np.ndarray:
    """Numbers separated by commas, a row a line.

    Args:
        text (str): Content of a file.
        where (str): The file, for the messages.
        columns (int): How many numbers a line must have.
        num_rows (int, optional): How many lines there must be; None: at least
            one.

    Returns:
        ndarray: (N, columns) float64, finite.

    Raises:
        SubmissionError: Naming the line.
    """
    rows = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(word) for word in line.split(',')]
        except ValueError:
            row = []
        if len(row) != columns or not all(map(math.isfinite, row)):
            raise SubmissionError(f'{where}, line {number}: {line!r}; '
                                  f'expected {columns} finite number'
                                  f'{"s" if columns > 1 else ""}')
        rows.append(row)
    if num_rows is not None and len(rows) != num_rows or not rows:
        raise SubmissionError(
            f'{where}, line {len(rows)}: the file has {len(rows)} lines; '
            f'expected {num_rows or "one per frame"}')
    return np.array(rows)


def check_boxes(boxes: np.ndarray, where: str) -> None:
    """Refuse boxes of negative size.

    Args:
        boxes (ndarray): (N, 4) x, y, w, h.
        where (str): The file, for the message.

    Raises:
        SubmissionError: Naming the line.
    """
    bad = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(bad):
        w, h = boxes[bad[0], 2:]
        raise SubmissionError(
            f'{where}, line {bad[0] + 1}: negative size {w:g}x{h:g}')


def check_times(times: np.ndarray, where: str) -> None:
    """Refuse times that are not positive.

    Args:
        times (ndarray): (N, 1) seconds.
        where (str): The file, for the message.

    Raises:
        SubmissionError: Naming the line.
    """
    bad = np.flatnonzero(times[:, 0] <= 0)
    if len(bad):
        raise SubmissionError(
            f'{where}, line {bad[0] + 1}: {times[bad[0], 0]:g} seconds; '
            'expected the time that the tracker really took')


def read_boxes(results_dir: str, name: str,
               length: Optional[int]) -> np.ndarray:
    """Boxes of one sequence, as ``OPEMetric`` has written them.

    Args:
        results_dir (str): Its folder.
        name (str): The sequence.
        length (int, optional): Its number of frames, if that is known.

    Returns:
        ndarray: (N, 4) x, y, w, h.

    Raises:
        SubmissionError: Naming file and line.
    """
    path = osp.join(results_dir, f'{name}.txt')
    boxes = parse_rows(read_text(path), path, 4, length)
    check_boxes(boxes, path)
    return boxes


def write_zip(path: str, members: Iterable[Tuple[str, bytes]]) -> None:
    """Write an archive, whole or not at all.

    Equal members make equal archives.

    Args:
        path (str): The archive.
        members (Iterable[tuple[str, bytes]]): Names and contents.
    """
    with written_whole(path) as temporary:
        with zipfile.ZipFile(temporary, 'w', zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                # A fixed date: the default one is now.
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, content)


def read_zip(path: str, expected: Iterable[str]) -> Dict[str, bytes]:
    """Read an archive that must hold some files and no others.

    Args:
        path (str): The archive.
        expected (Iterable[str]): Names of its members.

    Returns:
        dict[str, bytes]: Their contents.

    Raises:
        SubmissionError: If it cannot be read, or the names differ.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name)
                       for name in archive.namelist()
                       if not name.endswith('/')}
    except (OSError, zipfile.BadZipFile) as error:
        raise SubmissionError(f'{path}: not a readable zip ({error})'
                              ) from error
    expected = set(expected)
    for problem, names in (('lacks', expected - set(members)),
                           ('has no place for', set(members) - expected)):
        if names:
            more = f' and {len(names) - 1} more' if len(names) > 1 else ''
            raise SubmissionError(
                f'{path}: the submission {problem} {min(names)}{more}')
    return members


def decode(content: bytes, where: str) -> str:
    """Text of an archive's member.

    Args:
        content (bytes): Its content.
        where (str): Its name, for the message.

    Returns:
        str: The text.

    Raises:
        SubmissionError: If it is none.
    """
    try:
        return io.TextIOWrapper(io.BytesIO(content), encoding='utf-8').read()
    except UnicodeDecodeError as error:
        raise SubmissionError(f'{where}: not text ({error})') from error


def tracked_sequences(results_dir: str) -> List[str]:
    """Sequences that have a file of boxes.

    Args:
        results_dir (str): Folder of ``OPEMetric``.

    Returns:
        list[str]: Their names, sorted.

    Raises:
        SubmissionError: If there is no such folder, or none in it.
    """
    names = sorted(
        name[:-len('.txt')] for name in (
            os.listdir(results_dir) if osp.isdir(results_dir) else [])
        if name.endswith('.txt')
        and not name.endswith(('_score.txt', '_time.txt')))
    if not names:
        raise SubmissionError(
            f'{results_dir}: no result files <sequence>.txt in it; expected '
            'the folder "results" of a test\'s work dir')
    return names
