"""LaSOT."""
import os
import os.path as osp
from typing import List, Tuple

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.text_numbers import read_flags, read_lines, read_numbers
from ..storage.numbered_paths import escape
from .video_source import VideoSource


@DATASETS.register_module()
class LaSOTSource(VideoSource):
    """Pairs from LaSOT (https://arxiv.org/abs/1809.07845).

    .. code-block:: none

        data_root
        ├── training_set.txt        (or testing_set.txt alone)
        ├── airplane
        │   ├── airplane-1
        │   │   ├── groundtruth.txt
        │   │   ├── full_occlusion.txt
        │   │   ├── out_of_view.txt
        │   │   └── img/00000001.jpg ...
        └── ...

    Frames that are marked as fully occluded or out of view are left out.

    Args:
        split (str): ``'train'``: the sequences of ``training_set.txt``, or,
            if that is not there, all but those of ``testing_set.txt``.
            ``'test'``: those of ``testing_set.txt``. ``'all'``: every folder.
            Defaults to ``'train'``.
        kwargs: See :class:`VideoSource`.
    """
    lists = dict(train='training_set.txt', test='testing_set.txt')

    def __init__(self, *args, split: str = 'train', **kwargs) -> None:
        if split not in ('train', 'test', 'all'):
            raise ValueError("split must be 'train', 'test' or 'all', but "
                             f'got {split!r}')
        self.split = split
        super().__init__(*args, **kwargs)

    def list_videos(self, data_root: str) -> List[str]:
        if self.split == 'all':
            return _find_videos(data_root)
        path = osp.join(data_root, self.lists[self.split])
        if osp.isfile(path) or self.split == 'test':
            return read_lines(path)
        test_path = osp.join(data_root, self.lists['test'])
        if not osp.isfile(test_path):
            raise FileNotFoundError(
                f'neither {path} nor {osp.basename(test_path)} is there; '
                "LaSOT's download has them. split='all' takes every folder")
        test = set(read_lines(test_path))
        return [name for name in _find_videos(data_root) if name not in test]

    def read_video(self, data_root: str,
                   video: str) -> Tuple[str, np.ndarray, np.ndarray]:
        folder = osp.join(video.rsplit('-', 1)[0], video)
        path = osp.join(data_root, folder)
        bboxes = read_numbers(osp.join(path, 'groundtruth.txt'), columns=4)
        for name in ('full_occlusion.txt', 'out_of_view.txt'):
            hidden = read_flags(osp.join(path, name), len(bboxes))
            bboxes[hidden > 0] = np.nan
        return (osp.join(escape(folder), 'img', '%08d.jpg'),
                np.arange(1, len(bboxes) + 1), bboxes)


def _find_videos(data_root: str) -> List[str]:
    return sorted(
        name for category in os.listdir(data_root)
        if osp.isdir(osp.join(data_root, category))
        for name in os.listdir(osp.join(data_root, category))
        if name.rsplit('-', 1)[0] == category)
