"""Reading a tracker's result files, ours or another toolkit's."""
import os
import os.path as osp
from typing import NamedTuple, Optional

import numpy as np

from siamattn_mm.datasets.reading.ground_truth import enclosing_boxes
from siamattn_mm.datasets.reading.number_line import parse_numbers


class ResultFolderError(ValueError):
    """Result files are not as expected; the message names the file."""


class SequenceResult(NamedTuple):
    """What a tracker said about one sequence.

    Attributes:
        boxes (ndarray): (N, 4) x, y, w, h in pixels.
        scores (ndarray, optional): (N,), nan in the first frame.
        times (ndarray, optional): (N,) seconds.
        mask_folder (str, optional): Where its masks are, named as the
            frames, ``.png``.
    """
    boxes: np.ndarray
    scores: Optional[np.ndarray]
    times: Optional[np.ndarray]
    mask_folder: Optional[str]


class ResultFolder:
    """A folder with one ``<sequence>.txt`` a sequence.

    As ``OPEMetric`` writes them: a line a frame, ``x,y,w,h`` (or the 8
    numbers of a polygon, of which the upright rectangle is taken), and, where
    they are known, ``<sequence>_score.txt``, ``<sequence>_time.txt`` and the
    masks in the folder ``<sequence>``.

    Args:
        path (str): The folder, or a work dir with it in ``results``.
        name (str, optional): Of the tracker. Defaults to None: the folder's,
            or, for ``results``, that of the folder above.

    Raises:
        ResultFolderError: If there is no such folder, or no file in it.
    """

    def __init__(self, path: str, name: Optional[str] = None) -> None:
        inner = osp.join(path, 'results')
        self.path = inner if osp.isdir(inner) else path
        if not osp.isdir(self.path):
            raise ResultFolderError(f'{path!r} is not a folder of results')
        if not any(entry.endswith('.txt') for entry in os.listdir(self.path)):
            raise ResultFolderError(
                f'{self.path!r} holds no result files; expected '
                '<sequence>.txt with a line x,y,w,h for each frame')
        if name is None:
            parts = osp.abspath(self.path).split(osp.sep)
            name = parts[-2] if parts[-1] == 'results' else parts[-1]
        self.name = name

    def has(self, sequence: str) -> bool:
        """Whether there are results of a sequence."""
        return osp.isfile(self._file(sequence))

    def read(self, sequence: str, length: int) -> SequenceResult:
        """Read the results of one sequence.

        Args:
            sequence (str): Its name.
            length (int): Its number of frames N.

        Returns:
            SequenceResult: Boxes, and scores, times and masks if kept.

        Raises:
            ResultFolderError: If a file is missing, malformed or of another
                length.
        """
        boxes = _read_rows(self._file(sequence), length, (4, 8))
        if boxes.shape[1] == 8:
            boxes = enclosing_boxes(boxes)
        scores, times = (
            _read_rows(path, length, (1, ))[:, 0] if osp.isfile(path) else None
            for path in (self._file(sequence, '_score'),
                         self._file(sequence, '_time')))
        if scores is not None:
            # What a tracker says of the frame it was given means nothing.
            scores[0] = np.nan
        masks = osp.join(self.path, sequence)
        return SequenceResult(boxes, scores, times,
                              masks if osp.isdir(masks) else None)

    def _file(self, sequence: str, suffix: str = '') -> str:
        return osp.join(self.path, f'{sequence}{suffix}.txt')


def _read_rows(path: str, length: int, widths: tuple) -> np.ndarray:
    try:
        with open(path, encoding='utf-8-sig', errors='replace') as file:
            lines = file.read().rstrip().splitlines()
    except OSError as error:
        raise ResultFolderError(
            f'{path}: cannot be read ({error.strerror})') from error
    if len(lines) != length:
        raise ResultFolderError(f'{path}: {len(lines)} lines, but the sequence'
                                f' has {length} frames')
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = parse_numbers(line.replace(';', ' '), widths)
        except ValueError as error:
            if 'decimal' in str(error):
                raise ResultFolderError(
                    f'{path}, line {number}: {error}') from None
            row = []
        if len(row) not in widths or rows and len(row) != len(rows[0]):
            wanted = len(rows[0]) if rows else ' or '.join(map(str, widths))
            raise ResultFolderError(
                f'{path}, line {number}: expected {wanted} numbers, but got '
                f'{line.strip()[:60]!r}')
        rows.append(row)
    return np.array(rows, np.float64)
