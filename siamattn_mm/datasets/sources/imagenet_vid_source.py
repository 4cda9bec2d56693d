"""ImageNet VID."""
import os.path as osp
from typing import Dict, Optional

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.progress import progress
from ..storage.numbered_paths import escape
from ..storage.video_index import VideoIndex
from .imagenet_xml import list_stems, read_imagenet, read_objects
from .track_source import TrackSource, large_enough


@DATASETS.register_module()
class ImageNetVIDSource(TrackSource):
    """Pairs from ImageNet VID (https://arxiv.org/abs/1409.0575).

    .. code-block:: none

        data_root                                   (ILSVRC2015)
        ├── Annotations/VID/train/<part>/<snippet>/000000.xml ...
        └── Data/VID/train/<part>/<snippet>/000000.JPEG ...

    Each ``trackid`` of a snippet is a track. Reading a million XML files
    takes minutes, so the result is kept in ``data_root``.

    mmtrack's ``SOTImageNetVIDDataset`` needs them converted to one JSON file
    first, and keeps a Python object for each box, which every worker copies
    in the end.

    Args:
        data_root (str): Folder of the data set.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        frame_range (int): See :class:`TrackSource`. Defaults to 100.
        min_size (float): Frames whose box has a side below this many pixels
            are left out. Defaults to 4.
        index_cache (bool): Whether to keep what was read, in
            ``.siamattn_imagenet_vid_<split>.npz``. It is made again when XML
            files are added or removed, but not when one is edited in place.
            Defaults to True.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If there are no annotations.
        ValueError: If an annotation file is not as expected, or no frame is
            left.
    """

    def __init__(self,
                 data_root: str,
                 split: str = 'train',
                 frame_range: int = 100,
                 min_size: float = 4,
                 index_cache: bool = True,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        data_root = osp.expanduser(data_root)
        table = read_imagenet(data_root, 'VID', split, index_cache,
                              _read_snippets)
        super().__init__(
            table=large_enough(table, min_size, data_root),
            img_root=osp.join(data_root, 'Data', 'VID', split),
            frame_range=frame_range,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)


def _read_snippets(ann_root: str, snippets: list) -> Dict[str, np.ndarray]:
    index = VideoIndex()
    for snippet in progress(snippets, 'ImageNet VID'):
        folder = osp.join(ann_root, snippet)
        stems = list_stems(folder)
        tracks = dict()
        for i, stem in enumerate(stems):
            for entry in read_objects(osp.join(folder, f'{stem}.xml')):
                tracks.setdefault(entry.track, []).append((i, entry.bbox))
        frames = np.array([int(stem) for stem in stems])
        index.add_video(osp.join(escape(snippet), '%06d.JPEG'), frames)
        for _, rows in sorted(tracks.items()):
            images, bboxes = zip(*rows)
            index.add_track(images, np.array(bboxes), frames[list(images)])
    return index.table().to_arrays()
