"""NfS (Need for Speed) at 30 frames a second."""
import os
import os.path as osp
from typing import List

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError, check_length
from ..reading.image_files import natural_key
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_lines

# The annotations of some sequences are those of the 240 fps version.
_STEP = 8


@DATASETS.register_module()
class NfSTestDataset(BenchmarkDataset):
    """The 100 sequences of NfS in their 30 fps version, as unpacked.

    .. code-block:: none

        data_root
        └── airboard_1/30
            ├── airboard_1/00001.jpg ...
            └── airboard_1.txt

    A line of the annotations is ``0 xmin ymin xmax ymax frame lost occluded
    generated "label"``. As in got10k's toolkit, every eighth line is taken
    where there are eight times as many as frames, one more or less at the
    end is cut off, and a frame counts whether it is marked as lost or not.

    Args:
        data_root (str): The folder above.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 100

    def list_sequences(self) -> List[str]:
        """All folders."""
        if not osp.isdir(self.data_root):
            raise SequenceFolderError(
                f'{self.data_root}: no such folder; expected '
                '<sequence>/30/<sequence>.txt in it')
        return sorted((entry.name for entry in os.scandir(self.data_root)
                       if entry.is_dir() and not entry.name.startswith('.')),
                      key=natural_key)

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one sequence.

        Args:
            name (str): E.g. ``'airboard_1'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        folder = osp.join(self.data_root, name, '30')
        path = osp.join(folder, f'{name}.txt')
        frames = list_frames(osp.join(folder, name))
        lines = read_lines(path, 'one VATIC annotation a line')
        boxes = np.array([
            _parse(line, path, number)
            for number, line in enumerate(lines, start=1)
        ])
        if abs(len(boxes) / len(frames) - _STEP) < 1:
            boxes = boxes[::_STEP]
        if abs(len(boxes) - len(frames)) == 1:
            length = min(len(boxes), len(frames))
            boxes, frames = boxes[:length], frames[:length]
        check_length(path, len(boxes), frames)
        return self.make_sequence(name, osp.join(folder, name), frames,
                                  boxes.astype(np.float32))


def _parse(line: str, path: str, number: int) -> List[float]:
    words = line.split()
    if len(words) < 5:
        raise SequenceFolderError(
            f'{path}, line {number}: {len(words)} words; expected at least '
            '5, "0 xmin ymin xmax ymax ..."')
    try:
        x1, y1, x2, y2 = (float(word) for word in words[1:5])
    except ValueError as error:
        raise SequenceFolderError(
            f'{path}, line {number}: {" ".join(words[1:5])!r}; expected four '
            'numbers, xmin ymin xmax ymax') from error
    if not np.isfinite([x1, y1, x2, y2]).all() or x2 <= x1 or y2 <= y1:
        raise SequenceFolderError(
            f'{path}, line {number}: {" ".join(words[1:5])!r} is no box of '
            'positive size')
    return [x1, y1, x2 - x1, y2 - y1]
