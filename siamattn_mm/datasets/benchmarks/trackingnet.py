"""TrackingNet's test set."""
import os.path as osp
from typing import List

from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError
from ..reading.image_files import list_files
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_truth


@DATASETS.register_module()
class TrackingNetTestDataset(BenchmarkDataset):
    """The 511 test videos of TrackingNet, as unpacked.

    .. code-block:: none

        data_root/TEST
        ├── frames/<video>/0.jpg, 1.jpg ...
        └── anno/<video>.txt        (the first frame's box; one line)

    The rest of the ground truth is on the server:
    ``OPEMetric(format_only=True)`` and ``siamattn make-submission``.

    Args:
        data_root (str): The folder above ``TEST``.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 511

    def list_sequences(self) -> List[str]:
        """All videos that have an annotation file."""
        folder = osp.join(self.data_root, 'TEST', 'anno')
        if not osp.isdir(folder):
            raise SequenceFolderError(
                f'{folder}: no such folder; expected <video>.txt files')
        return [osp.splitext(n)[0] for n in list_files(folder, ('.txt', ))]

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one video.

        Args:
            name (str): The video.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        top = osp.join(self.data_root, 'TEST')
        path = osp.join(top, 'frames', name)
        frames = list_frames(path)
        boxes, _ = read_truth(
            osp.join(top, 'anno', f'{name}.txt'), frames, first_only=True)
        return self.make_sequence(name, path, frames, boxes)
