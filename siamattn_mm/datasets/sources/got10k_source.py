"""GOT-10k."""
import os.path as osp
from typing import List, Tuple

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.text_numbers import read_flags, read_lines, read_numbers
from ..storage.numbered_paths import escape
from .video_source import VideoSource


@DATASETS.register_module()
class GOT10kSource(VideoSource):
    """Pairs from GOT-10k (https://arxiv.org/abs/1810.11981).

    .. code-block:: none

        data_root
        └── train
            ├── list.txt
            └── GOT-10k_Train_000001
                ├── groundtruth.txt
                ├── absence.label
                ├── cover.label
                └── 00000001.jpg ...

    Frames where the target is absent or fully covered are left out.

    Args:
        split (str): Folder under ``data_root``: ``'train'`` or ``'val'``; the
            latter shares no object class with the test set, nor with the
            training set. Defaults to ``'train'``.
        kwargs: See :class:`VideoSource`.
    """

    def __init__(self, *args, split: str = 'train', **kwargs) -> None:
        self.split = split
        super().__init__(*args, **kwargs)

    def list_videos(self, data_root: str) -> List[str]:
        return read_lines(osp.join(data_root, self.split, 'list.txt'))

    def read_video(self, data_root: str,
                   video: str) -> Tuple[str, np.ndarray, np.ndarray]:
        folder = osp.join(data_root, self.split, video)
        bboxes = read_numbers(osp.join(folder, 'groundtruth.txt'), columns=4)
        absent = read_flags(osp.join(folder, 'absence.label'), len(bboxes))
        # 0 to 8: visible share of the target in eighths.
        cover = read_flags(osp.join(folder, 'cover.label'), len(bboxes))
        bboxes[(absent > 0) | (cover == 0)] = np.nan
        return (osp.join(self.split, escape(video), '%08d.jpg'),
                np.arange(1, len(bboxes) + 1), bboxes)
