"""GOT-10k's test and validation sets."""
import os.path as osp
from typing import List

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError, check_length
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_lines, read_names, read_truth


@DATASETS.register_module()
class GOT10kTestDataset(BenchmarkDataset):
    """180 sequences of GOT-10k, as unpacked.

    .. code-block:: none

        data_root/test (or val)
        ├── list.txt
        └── GOT-10k_Test_000001
            ├── 00000001.jpg ...
            ├── groundtruth.txt  (test: the first frame's box; one line)
            └── cover.label      (val: 0..8 eighths of the target visible)

    In ``val``, a frame with cover 0 counts nowhere, as in the toolkit. The
    rest of the ground truth of ``test`` is on the server:
    ``OPEMetric(format_only=True)`` and ``siamattn make-submission``.

    Args:
        data_root (str): The folder above ``test`` and ``val``.
        split (str): ``'test'`` or ``'val'``. Defaults to 'test'.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 180

    def __init__(self, data_root: str, split: str = 'test', **kwargs) -> None:
        if split not in ('test', 'val'):
            raise ValueError(f'split {split!r}: expected \'test\' or \'val\'')
        self.split = split
        super().__init__(data_root=data_root, **kwargs)

    def list_sequences(self) -> List[str]:
        """The names in ``list.txt``."""
        return read_names(osp.join(self.data_root, self.split, 'list.txt'))

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one sequence.

        Args:
            name (str): E.g. ``'GOT-10k_Test_000001'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        path = osp.join(self.data_root, self.split, name)
        frames = list_frames(path)
        boxes, _ = read_truth(
            osp.join(path, 'groundtruth.txt'),
            frames,
            first_only=self.split == 'test')
        if self.split == 'val':
            boxes[_covered(osp.join(path, 'cover.label'), frames)] = np.nan
        return self.make_sequence(name, path, frames, boxes)


def _covered(path: str, frames: List[str]) -> np.ndarray:
    lines = read_lines(path, 'a number from 0 to 8 a line')
    for number, line in enumerate(lines, start=1):
        if line.strip() not in tuple('012345678'):
            raise SequenceFolderError(f'{path}, line {number}: {line!r}; '
                                      'expected a number from 0 to 8')
    check_length(path, len(lines), frames)
    return np.array([line.strip() == '0' for line in lines])
