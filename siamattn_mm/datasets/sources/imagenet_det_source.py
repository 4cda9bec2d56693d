"""ImageNet DET."""
import os.path as osp
from typing import Dict, Optional

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.progress import progress
from ..storage.string_table import StringTable
from ..storage.track_table import TrackTable
from .imagenet_xml import list_stems, read_imagenet, read_objects
from .track_source import TrackSource, large_enough


@DATASETS.register_module()
class ImageNetDETSource(TrackSource):
    """Pairs from the still images of ImageNet DET.

    .. code-block:: none

        data_root                                   (ILSVRC2015)
        ├── Annotations/DET/train/<part>/.../<image>.xml
        └── Data/DET/train/<part>/.../<image>.JPEG

    Source: https://arxiv.org/abs/1409.0575. Each object is a track of one
    frame; template and search crop come from the same image. The result of
    reading half a million XML files is kept in ``data_root``. mmtrack reads
    this set only after a conversion to a JSON file, and keeps it in Python
    objects.

    Args:
        data_root (str): Folder of the data set.
        split (str): ``'train'`` or ``'val'``. Defaults to ``'train'``.
        min_size (float): Objects with a side below this many pixels are left
            out. Defaults to 16.
        index_cache (bool): See :class:`ImageNetVIDSource`; the file is
            ``.siamattn_imagenet_det_<split>.npz``. Defaults to True.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If there are no annotations.
        ValueError: If an annotation file is not as expected, or no object is
            left.
    """

    def __init__(self,
                 data_root: str,
                 split: str = 'train',
                 min_size: float = 16,
                 index_cache: bool = True,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        data_root = osp.expanduser(data_root)
        table = read_imagenet(data_root, 'DET', split, index_cache,
                              _read_stills)
        super().__init__(
            table=large_enough(table, min_size, data_root),
            img_root=osp.join(data_root, 'Data', 'DET', split),
            frame_range=0,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)


def _read_stills(ann_root: str, folders: list) -> Dict[str, np.ndarray]:
    paths, image_ids, bboxes = [], [], []
    for folder in progress(folders, 'ImageNet DET'):
        for stem in list_stems(osp.join(ann_root, folder)):
            entries = read_objects(osp.join(ann_root, folder, f'{stem}.xml'))
            if entries:
                image_ids += [len(paths)] * len(entries)
                bboxes += [entry.bbox for entry in entries]
                paths.append(osp.join(folder, f'{stem}.JPEG'))
    return TrackTable(
        images=StringTable(paths),
        lengths=np.ones(len(bboxes), dtype=np.int64),
        image_ids=np.array(image_ids, dtype=np.int32),
        bboxes=np.array(bboxes, dtype=np.float32)).to_arrays()
