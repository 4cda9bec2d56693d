"""DAVIS 2016 and 2017."""
import os.path as osp
from typing import Dict, List, Optional, Tuple

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError
from .base import BenchmarkSequence
from .reading import list_frames, read_lines
from .vos import VOSBenchmarkDataset


@DATASETS.register_module()
class DAVISTestDataset(VOSBenchmarkDataset):
    """DAVIS, as unpacked.

    .. code-block:: none

        data_root
        ├── JPEGImages/480p/<video>/00000.jpg ...
        ├── Annotations/480p/<video>/00000.png ...
        └── ImageSets/2017/val.txt   (year 2016: ImageSets/2016/val.txt, or
                                      ImageSets/480p/val.txt)

    ``year=2016`` has one object a video, all that is not 0 in the masks, and
    the video's name. ``year=2017`` has several, which are tracked one after
    another as the sequences ``<video>_1``, ``<video>_2``, ...

    Args:
        data_root (str): The folder above.
        year (int): 2016 or 2017. Defaults to 2017.
        subset (str): The list's name, e.g. ``'val'`` or ``'test-dev'`` (which
            has the first masks only). Defaults to 'val'.
        kwargs: See ``BenchmarkDataset``.
    """

    def __init__(self,
                 data_root: str,
                 year: int = 2017,
                 subset: str = 'val',
                 **kwargs) -> None:
        if year not in (2016, 2017):
            raise ValueError(f'year {year!r}: expected 2016 or 2017')
        self.year = year
        self.subset = subset
        # Sequence: video and the object's number.
        self._objects: Dict[str, Tuple[str, Optional[int]]] = {}
        super().__init__(data_root=data_root, **kwargs)

    def list_sequences(self) -> List[str]:
        """The objects of the videos in the list."""
        for video in self._videos():
            if self.year == 2016:
                self._objects[video] = (video, None)
                continue
            mask = self.read_mask(
                osp.join(self.data_root, self._masks(video)[0]))
            for number in np.unique(mask):
                # 255 is DAVIS's "unknown".
                if 0 < number < 255:
                    self._objects[f'{video}_{number}'] = (video, int(number))
        return list(self._objects)

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one object.

        Args:
            name (str): E.g. ``'bike-packing_1'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        video, number = self._objects[name]
        folder = osp.join('JPEGImages', '480p', video)
        frames = list_frames(osp.join(self.data_root, folder))
        masks = self._masks(video)
        if len(masks) == 1:
            masks = masks + [''] * (len(frames) - 1)
        stems = [osp.splitext(osp.basename(n))[0] for n in masks]
        for i, frame in enumerate(frames):
            stem = osp.splitext(frame)[0]
            if i >= len(stems) or stems[i] not in ('', stem):
                raise SequenceFolderError(
                    f'{osp.dirname(osp.join(self.data_root, masks[0]))}: '
                    f'no mask {stem}.png for the frame {frame}; expected one '
                    'for every frame, or for the first alone')
        if len(stems) > len(frames):
            raise SequenceFolderError(
                f'{osp.join(self.data_root, masks[len(frames)])}: no frame '
                'belongs to this mask')
        return self.make_object(
            name, [osp.join(folder, frame) for frame in frames], masks,
            number)

    def _videos(self) -> List[str]:
        folder = osp.join(self.data_root, 'ImageSets')
        path = osp.join(folder, str(self.year), f'{self.subset}.txt')
        old = osp.join(folder, '480p', f'{self.subset}.txt')
        if self.year == 2016 and not osp.isfile(path) and osp.isfile(old):
            path = old
        videos = []
        for number, line in enumerate(read_lines(path, 'a video a line'), 1):
            # DAVIS 2016 lists "/JPEGImages/480p/<video>/00000.jpg <mask>".
            words = line.split()
            if not words:
                raise SequenceFolderError(
                    f'{path}, line {number}: empty; expected a video')
            video = words[0]
            if '/' in video:
                video = osp.basename(osp.dirname(video))
            if video not in videos:
                videos.append(video)
        return videos

    def _masks(self, video: str) -> List[str]:
        folder = osp.join('Annotations', '480p', video)
        return [
            osp.join(folder, name)
            for name in list_frames(osp.join(self.data_root, folder))
        ]
