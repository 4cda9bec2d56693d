"""YouTube-BoundingBoxes."""
import os.path as osp
from typing import Optional, Sequence

import numpy as np
import pandas as pd
from mmtrack.registry import DATASETS

from ..storage.numbered_paths import NumberedPaths, escape
from ..storage.track_table import TrackTable
from .base import Frame
from .track_source import TrackSource

_COLUMNS = ('youtube_id', 'timestamp_ms', 'class_id', 'class_name',
            'object_id', 'presence', 'xmin', 'xmax', 'ymin', 'ymax')
_TYPES = dict(
    youtube_id=str, timestamp_ms=np.int32, class_id=np.int32,
    object_id=np.int32, presence=str, xmin=np.float32, xmax=np.float32,
    ymin=np.float32, ymax=np.float32)
_TRACK = ['youtube_id', 'class_id', 'object_id']


@DATASETS.register_module()
class YouTubeBBSource(TrackSource):
    """Pairs from YouTube-BoundingBoxes (https://arxiv.org/abs/1702.00824).

    .. code-block:: none

        data_root
        ├── yt_bb_detection_train.csv           (or .csv.gz; also _validation)
        └── yt_bb_detection_train/<class>/
            └── <video>_<milliseconds>_<class>_<object>.jpg

    The CSV files are as Google publishes them, without a header line. The
    images are not published: tools that cut them out of the videos name them
    after the line's first, second, third and fifth column. If yours are named
    in another way, say how in ``frame_path``.

    An object of a segment is a track, with a frame a second. Lines whose
    object is not ``present`` are left out. mmtrack has no class for this set.

    Args:
        data_root (str): Folder of the data set.
        splits (Sequence[str]): Which CSV files to read. Defaults to
            ``('train', 'validation')``.
        frame_path (str): Path of an image relative to ``data_root``, with
            ``{split}``, ``{youtube_id}``, ``{class_id}``, ``{object_id}`` and
            ``{timestamp_ms}``. Defaults to ``'yt_bb_detection_{split}/
            {class_id}/{youtube_id}_{timestamp_ms}_{class_id}_{object_id}
            .jpg'`` (without the spaces).
        frame_range (int): Largest distance of template and search frame, in
            annotated frames (seconds). Defaults to 3.
        min_share (float): Frames whose box has a side below this share of the
            image's are left out. Defaults to 0.02.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If a CSV file is not there.
        ValueError: If one is not as expected, or no frame is left.
    """

    def __init__(self,
                 data_root: str,
                 splits: Sequence[str] = ('train', 'validation'),
                 frame_path: str = (
                     'yt_bb_detection_{split}/{class_id}/{youtube_id}_'
                     '{timestamp_ms}_{class_id}_{object_id}.jpg'),
                 frame_range: int = 3,
                 min_share: float = 0.02,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        data_root = osp.expanduser(data_root)
        try:
            frame_path.format(timestamp_ms=0, split='',
                              **dict.fromkeys(_TRACK, 0))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f'frame_path {frame_path!r}: no field '
                             f'{error}') from error
        frames = pd.concat(
            [_read_csv(data_root, split).assign(split=split)
             for split in splits], ignore_index=True)
        super().__init__(
            table=_make_table(frames, frame_path).large_enough(min_share),
            img_root=data_root,
            frame_range=frame_range,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)

    def read(self, row: int) -> Frame:
        """Frame: Its box in pixels; the table's are shares of the image."""
        frame = super().read(row)
        height, width = frame.img.shape[:2]
        return frame._replace(
            bbox=frame.bbox * np.float32([width, height, width, height]))


def _read_csv(data_root: str, split: str) -> pd.DataFrame:
    path = osp.join(data_root, f'yt_bb_detection_{split}.csv')
    if not osp.isfile(path):
        if not osp.isfile(f'{path}.gz'):
            raise FileNotFoundError(f'no annotation file {path} or {path}.gz')
        path = f'{path}.gz'
    try:
        frames = pd.read_csv(
            path, header=None, names=_COLUMNS, dtype=_TYPES,
            usecols=list(_TYPES), keep_default_na=False)
    except ValueError as error:
        raise ValueError(
            f'{path}: {error}; expected lines of {", ".join(_COLUMNS)}, '
            'without a header') from error
    return frames[frames.presence == 'present']


def _make_table(frames: pd.DataFrame, frame_path: str) -> TrackTable:
    """One track an object of a segment, boxes as shares of the image."""
    keys = ['split'] + _TRACK
    frames = frames.sort_values(keys + ['timestamp_ms'], kind='stable')
    sizes = frames.groupby(keys, sort=True).size()
    templates = (
        escape(frame_path.format(
            timestamp_ms='\0', **dict(zip(keys, key)))).replace('\0', '%d')
        for key in sizes.index)
    boxes = frames[['xmin', 'ymin', 'xmax', 'ymax']].to_numpy()
    boxes[:, 2:] -= boxes[:, :2]
    times = frames.timestamp_ms.to_numpy()
    return TrackTable(
        images=NumberedPaths(templates, sizes.to_numpy(), times),
        lengths=sizes.to_numpy(),
        image_ids=np.arange(len(frames)),
        bboxes=boxes,
        frame_ids=times // 1000)
