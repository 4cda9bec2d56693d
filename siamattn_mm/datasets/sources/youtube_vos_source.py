"""YouTube-VOS."""
import json
import logging
import os.path as osp
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, Optional, Tuple

import cv2
import numpy as np
from mmengine.logging import print_log
from mmtrack.registry import DATASETS

from ..reading.image_reader import ImageReader, UnreadableFrameError
from ..reading.progress import progress
from ..storage.index_cache import cached_index, fingerprint
from ..storage.mask_store import MaskFiles
from ..storage.numbered_paths import NumberedPaths, escape
from ..storage.track_table import TrackTable
from ..storage.video_index import VideoIndex
from .track_source import TrackSource, large_enough

# The data set has every fifth frame of its videos.
_FRAME_STEP = 5


@DATASETS.register_module()
class YouTubeVOSSource(TrackSource):
    """Pairs with masks from YouTube-VOS (https://arxiv.org/abs/1809.03327).

    .. code-block:: none

        data_root
        └── train
            ├── meta.json
            ├── JPEGImages/<video>/00000.jpg, 00005.jpg ...
            └── Annotations/<video>/00000.png ...   (palette: object numbers)

    Each object is a track, over the frames that ``meta.json`` lists for it
    and in which it has a pixel. Boxes are not in the data set: they are drawn
    around the masks. All mask files are decoded for that once, which takes
    minutes; the result is kept in ``data_root``. mmtrack has no data set
    class for these files.

    Args:
        data_root (str): Folder of the data set.
        split (str): Folder under ``data_root``. Defaults to ``'train'``.
        frame_range (int): Largest distance of template and search frame, in
            frames of the data set, which has every fifth frame of its
            videos. Defaults to 20.
        min_size (float): Frames whose box has a side below this many pixels
            are left out. Defaults to 4.
        num_threads (int): Threads that decode masks for the boxes. Defaults
            to 8.
        index_cache (bool): Whether to keep the boxes, in
            ``.siamattn_youtube_vos_<split>.npz``. It is made again when
            ``meta.json`` or the list of mask files changes. Defaults to True.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If ``meta.json`` or a folder is not there.
        ValueError: If ``meta.json`` is not as expected, or no object is left.
    """

    def __init__(self,
                 data_root: str,
                 split: str = 'train',
                 frame_range: int = 20,
                 min_size: float = 4,
                 num_threads: int = 8,
                 index_cache: bool = True,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        data_root = osp.expanduser(data_root)
        root = osp.join(data_root, split)
        meta_path = osp.join(root, 'meta.json')
        videos = load_meta(meta_path)
        folders = [osp.join(root, 'Annotations', video) for video in videos]
        for folder in folders:
            if not osp.isdir(folder):
                raise FileNotFoundError(f'no mask folder {folder}')
        arrays = cached_index(
            osp.join(data_root, f'.siamattn_youtube_vos_{split}.npz')
            if index_cache else None,
            fingerprint([meta_path] + folders),
            lambda: _read_masks(root, videos, num_threads))
        object_ids = arrays['object_ids']
        table = TrackTable.from_arrays(dict(
            arrays, mask_ids=np.arange(len(object_ids))))
        images = table.images
        # The same numbers, at other paths.
        mask_paths = NumberedPaths(
            (osp.join(escape(folder), '%05d.png') for folder in folders),
            np.diff(images.ends, prepend=0), images.numbers)
        super().__init__(
            table=large_enough(table, min_size, root),
            img_root=root,
            masks=MaskFiles(mask_paths, object_ids, table.image_ids),
            frame_range=frame_range,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)


def load_meta(path: str) -> Dict[str, Dict[int, List[int]]]:
    """Read which object is annotated in which frames.

    Args:
        path (str): ``meta.json``.

    Returns:
        dict[str, dict[int, list[int]]]: Video name, object number: numbers
        of the frames, ascending.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not as expected.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no file {path}')
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        return {
            video: {
                int(number): sorted(int(name) for name in entry['frames'])
                for number, entry in sorted(info['objects'].items())
            }
            for video, info in sorted(content['videos'].items())
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path} is not YouTube-VOS\' list of objects: '
            f'{type(error).__name__} {error}; expected '
            '{"videos": {<name>: {"objects": {<number>: {"frames": '
            '["00000", ...]}}}}}') from error


def _read_masks(root: str, videos: Dict[str, Dict[int, List[int]]],
                num_threads: int) -> Dict[str, np.ndarray]:
    """All boxes, as arrays to be kept."""
    index = VideoIndex()
    object_ids, unreadable = [], []
    with ThreadPoolExecutor(num_threads) as pool:
        for video, objects in progress(videos.items(), 'YouTube-VOS'):
            frames = sorted({f for times in objects.values() for f in times})
            folder = osp.join(root, 'Annotations', video)
            numbers = list(objects)
            # (objects, frames, 4)
            boxes, errors = zip(*pool.map(
                lambda frame, folder=folder, numbers=numbers: _mask_boxes(
                    osp.join(folder, f'{frame:05d}.png'), numbers), frames))
            boxes = np.stack(boxes, axis=1)
            unreadable += [error for error in errors if error is not None]
            index.add_video(
                osp.join('JPEGImages', escape(video), '%05d.jpg'), frames)
            for i, times in enumerate(objects.values()):
                images = np.searchsorted(frames, times)
                index.add_track(images, boxes[i, images],
                                np.array(times) // _FRAME_STEP)
            object_ids += [
                np.full(len(times), number, dtype=np.uint8)
                for number, times in objects.items()
            ]
    if unreadable:
        print_log(
            f'YouTube-VOS: {len(unreadable)} mask files are left out, the '
            f'first: {unreadable[0]}',
            logger='current',
            level=logging.WARNING)
    return dict(
        index.table().to_arrays(),
        object_ids=np.concatenate([np.zeros(0, np.uint8)] + object_ids))


def _mask_boxes(
        path: str, numbers: List[int]
) -> Tuple[np.ndarray, Optional[UnreadableFrameError]]:
    """(K, 4) box of each object, nan where it is absent, and what failed."""
    boxes = np.full((len(numbers), 4), np.nan, dtype=np.float32)
    try:
        mask = ImageReader().mask(path)
    except UnreadableFrameError as error:
        return boxes, error
    for i, number in enumerate(numbers):
        box = cv2.boundingRect((mask == number).view(np.uint8))
        if box[2] > 0:
            boxes[i] = box
    return boxes, None
