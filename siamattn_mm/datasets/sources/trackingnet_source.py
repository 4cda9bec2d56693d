"""TrackingNet."""
import os
import os.path as osp
from typing import List, Optional, Sequence, Tuple

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.text_numbers import read_numbers
from ..storage.numbered_paths import escape
from .video_source import VideoSource


@DATASETS.register_module()
class TrackingNetSource(VideoSource):
    """Pairs from TrackingNet (https://arxiv.org/abs/1803.10794).

    .. code-block:: none

        data_root
        ├── TRAIN_0
        │   ├── anno/<video>.txt
        │   └── frames/<video>/0.jpg ...
        └── TRAIN_1 ... TRAIN_11

    Args:
        chunks (Sequence[int], optional): Numbers of the chunks to use.
            Defaults to None: all that are there.
        kwargs: See :class:`VideoSource`.
    """

    def __init__(self,
                 *args,
                 chunks: Optional[Sequence[int]] = None,
                 **kwargs) -> None:
        self.chunks = chunks
        super().__init__(*args, **kwargs)

    def list_videos(self, data_root: str) -> List[str]:
        chunks = range(12) if self.chunks is None else self.chunks
        folders = [osp.join(f'TRAIN_{i}', 'anno') for i in chunks]
        if self.chunks is None:
            folders = [f for f in folders
                       if osp.isdir(osp.join(data_root, f))]
        if not folders:
            raise FileNotFoundError(
                f'no folder TRAIN_0/anno to TRAIN_11/anno in {data_root}')
        return [
            osp.join(folder, name[:-len('.txt')]) for folder in folders
            for name in sorted(os.listdir(osp.join(data_root, folder)))
            if name.endswith('.txt')
        ]

    def read_video(self, data_root: str,
                   video: str) -> Tuple[str, np.ndarray, np.ndarray]:
        bboxes = read_numbers(osp.join(data_root, f'{video}.txt'), columns=4)
        chunk, _, name = video.split(osp.sep)
        return (osp.join(chunk, 'frames', escape(name), '%d.jpg'),
                np.arange(len(bboxes)), bboxes)
