"""VOT short-term challenges: 2016, 2018, 2019."""
import os.path as osp
from typing import List

from mmtrack.registry import DATASETS

from ..reading.sequence_folder import find_sequences
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_names, read_truth


@DATASETS.register_module()
class VOTTestDataset(BenchmarkDataset):
    """The 60 sequences of a VOT short-term challenge, as vot-toolkit has them.

    .. code-block:: none

        data_root
        ├── list.txt               (or all folders, in natural order)
        └── bag
            ├── color/00000001.jpg ...   (or the images directly in bag/)
            └── groundtruth.txt    (8 numbers: the corners of a rotated box)

    Args:
        data_root (str): The folder above.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 60

    def list_sequences(self) -> List[str]:
        """The names in ``list.txt``, or all folders."""
        path = osp.join(self.data_root, 'list.txt')
        if osp.isfile(path):
            return read_names(path)
        return [osp.basename(path) for path in find_sequences(self.data_root)]

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one sequence.

        Args:
            name (str): E.g. ``'bag'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        path = osp.join(self.data_root, name)
        images = 'color' if osp.isdir(osp.join(path, 'color')) else ''
        frames = list_frames(osp.join(path, images))
        boxes, polygons = read_truth(
            osp.join(path, 'groundtruth.txt'), frames)
        return self.make_sequence(
            name,
            path, [osp.join(images, frame) for frame in frames],
            boxes,
            polygons=polygons)
