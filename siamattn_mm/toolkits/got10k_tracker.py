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
import time
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from PIL import Image

from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.datasets.reading.image_reader import decode_image, read_bytes
from siamattn_mm.datasets.reading.sequence_folder import (
    find_sequences,
    read_sequence,
)
from siamattn_mm.datasets.reading.value_stretch import ValueStretch

from ..apis.tracker import Tracker

try:
    from got10k.experiments import ExperimentOTB
    from got10k.trackers import Tracker as _Tracker
    from got10k.utils.viz import show_frame
except ImportError as error:
    raise ImportError(
        f'got10k cannot be imported ({error}): install it with `bash '
        'tools/setup.sh --with eval`') from error


# TIFF's tag, and the byte of a PNG file.
_BITS_PER_SAMPLE = 258
_PNG_BITS = 24


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
        self._stretch = ValueStretch()

    def track(self,
              img_files: Sequence[str],
              box: Sequence[float],
              visualize: bool = False) -> Tuple[np.ndarray, np.ndarray]:
        """Track through one sequence.

        Frames of 8 bits are read by got10k. It would cut those of more off at
        255, so sequences with any of these are read here.

        Args:
            img_files (Sequence[str]): N images.
            box (Sequence[float]): x, y, w, h in the first one, in pixels.
            visualize (bool): Whether got10k shows them. Defaults to False.

        Returns:
            tuple[ndarray, ndarray]: (N, 4) boxes and (N,) seconds.

        Raises:
            UnreadableFrameError: If an image of more than 8 bits cannot be
                read.
        """
        if not any(_is_deep(path) for path in img_files):
            return super().track(img_files, box, visualize)
        stretch = ValueStretch()
        boxes, times = np.zeros((len(img_files), 4)), np.zeros(len(img_files))
        boxes[0] = box
        for index, path in enumerate(img_files):
            frame = decode_image(read_bytes(path), path, stretch)
            began = time.time()
            if index == 0:
                self.tracker.init(frame, box)
            else:
                boxes[index] = self.tracker.update(frame).bbox
            times[index] = time.time() - began
            if visualize:
                show_frame(Image.fromarray(frame[..., ::-1]), boxes[index])
        return boxes, times

    def init(self, image: Image.Image, box: Sequence[float]) -> None:
        """Take the target from the first frame.

        Args:
            image (PIL.Image.Image): RGB, grey, or 16 bits (modes I;16, I and
                F), which are stretched, as all frames behind it, by the range
                of this one's values.
            box (Sequence[float]): x, y, w, h in pixels.
        """
        self._stretch = ValueStretch()
        self.tracker.init(_frame(image, self._stretch), box)

    def update(self, image: Image.Image) -> np.ndarray:
        """Find the target in the next frame.

        Args:
            image (PIL.Image.Image): As the first.

        Returns:
            ndarray: (4,) x, y, w, h in pixels.
        """
        return self.tracker.update(_frame(image, self._stretch)).bbox


class ExperimentFolder(ExperimentOTB):
    """got10k's one-pass evaluation on a folder of sequences.

    Success and precision are computed and plotted by got10k, as for OTB.

    Args:
        root_dir (str): Folder of sequences, see
            :mod:`siamattn_mm.datasets.reading.sequence_folder`.
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


def _frame(image: Image.Image, stretch: ValueStretch) -> np.ndarray:
    """(H, W, 3) uint8, BGR."""
    if image.mode.split(';')[0] in ('I', 'F'):
        # convert() would cut all values off at 255.
        image = Image.fromarray(stretch(np.asarray(image)))
    return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])


def _is_deep(path: str) -> bool:
    """Whether an image has more than 8 bits; False if it is none.

    Only its header is read.
    """
    try:
        with Image.open(path) as image:
            if image.mode.split(';')[0] in ('I', 'F'):
                return True
            # Pillow does not say how many bits colours have.
            if image.format == 'TIFF':
                return max(image.tag_v2.get(_BITS_PER_SAMPLE, (8, ))) > 8
    except OSError:
        return False
    with open(path, 'rb') as file:
        head = file.read(_PNG_BITS + 1)
    return head.startswith(b'\x89PNG') and head[_PNG_BITS:] > b'\x08'
