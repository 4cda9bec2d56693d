"""Our tracker for got10k, the official toolkit of GOT-10k, and its runner.

.. code-block:: python

    from got10k.experiments import ExperimentGOT10k

    tracker = GOT10kTracker(init_tracker(CONFIG, CHECKPOINT))
    experiment = ExperimentGOT10k('data/got10k', subset='val')
    experiment.run(tracker)
    experiment.report([tracker.name])

Importing this module needs got10k.
"""
import os.path as osp
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from PIL import Image

from siamattn_mm.datasets.sequence_folder import (
    SequenceFolderError,
    find_sequences,
    read_sequence,
)

from .tracker import Tracker

try:
    from got10k.experiments import ExperimentOTB
    from got10k.trackers import Tracker as _Tracker
except ImportError as error:
    raise ImportError(
        f'got10k cannot be imported ({error}): install it with `bash '
        'tools/setup.sh --with eval`') from error


class GOT10kTracker(_Tracker):
    """A tracker as got10k's experiments take it.

    Args:
        tracker (Tracker): Built and loaded.
        name (str): Of the folder of its results. Defaults to 'SiamAttn'.
    """

    def __init__(self, tracker: Tracker, name: str = 'SiamAttn') -> None:
        # Of a deterministic one, got10k wants one pass instead of three.
        super().__init__(name=name, is_deterministic=True)
        self.tracker = tracker

    def init(self, image: Image.Image, box: Sequence[float]) -> None:
        """Take the target from the first frame.

        Args:
            image (PIL.Image.Image): RGB.
            box (Sequence[float]): x, y, w, h in pixels.
        """
        self.tracker.init(_frame(image), box)

    def update(self, image: Image.Image) -> np.ndarray:
        """Find the target in the next frame.

        Args:
            image (PIL.Image.Image): RGB.

        Returns:
            ndarray: (4,) x, y, w, h in pixels.
        """
        return self.tracker.update(_frame(image)).bbox


class ExperimentFolder(ExperimentOTB):
    """got10k's one-pass evaluation on a folder of sequences.

    Success and precision are computed and plotted by got10k, as for OTB.

    Args:
        root_dir (str): Folder of sequences, see
            :mod:`siamattn_mm.datasets.sequence_folder`.
        sequences (str | Sequence[str], optional): Names or patterns of the
            wanted ones. Defaults to None: all.
        num_frames (int, optional): Only the first frames of each.
            Defaults to None: all.
        result_dir (str): Where the boxes go. Defaults to 'results'.
        report_dir (str): Where the figures go. Defaults to 'reports'.

    Raises:
        SequenceFolderError: If a sequence is not as it should be, or the
            target is absent in one of its frames, which got10k does not know.
    """

    def __init__(self,
                 root_dir: str,
                 sequences: Union[str, Sequence[str], None] = None,
                 num_frames: Optional[int] = None,
                 result_dir: str = 'results',
                 report_dir: str = 'reports') -> None:
        # Not OTB's own: it downloads what is not there.
        self.dataset = _FolderSequences(root_dir, sequences, num_frames)
        name = osp.basename(osp.abspath(root_dir))
        self.result_dir = osp.join(result_dir, name)
        self.report_dir = osp.join(report_dir, name)
        self.nbins_iou = 21
        self.nbins_ce = 51


class _FolderSequences:
    """What got10k's experiments ask of a data set."""

    def __init__(self, root_dir: str, sequences: Union[str, Sequence[str],
                                                       None],
                 num_frames: Optional[int]) -> None:
        if num_frames is not None and num_frames < 1:
            raise ValueError('num_frames must be at least 1, but got '
                             f'{num_frames}')
        found = [
            read_sequence(path)
            for path in find_sequences(root_dir, sequences)
        ]
        self.seq_names = [sequence.name for sequence in found]
        self._items = []
        for sequence in found:
            boxes = sequence.boxes[:num_frames].astype(np.float64)
            absent = np.flatnonzero(np.isnan(boxes).any(axis=1))
            if len(absent):
                raise SequenceFolderError(
                    f'{sequence.folder}, line {absent[0] + 1} of the ground '
                    'truth: the target is absent, but got10k needs it in '
                    'every frame; leave this sequence out')
            self._items.append((sequence.frame_paths[:num_frames], boxes))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(
            self, index: Union[int, str]) -> Tuple[List[str], np.ndarray]:
        if isinstance(index, str):
            index = self.seq_names.index(index)
        # got10k may change the array.
        paths, boxes = self._items[index]
        return paths, boxes.copy()


def _frame(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, BGR."""
    return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])
