"""Base of the video data sets with one target a video."""
import os.path as osp
from abc import abstractmethod
from typing import List, Optional, Tuple

import numpy as np

from ..reading.progress import progress
from ..storage.video_index import VideoIndex
from .track_source import TrackSource, large_enough


class VideoSource(TrackSource):
    """Pairs from videos that each have one target and a text file of boxes.

    Derived classes say which videos there are, and read one. Images are not
    looked at: one that is missing counts as unreadable when it is drawn.

    mmtrack's ``LaSOTDataset``, ``TrackingNetDataset`` and ``GOT10kDataset``
    read the same files, but need a list that a converter makes first, and
    read the text files of two videos again for every sample; here they are
    read once, into flat arrays.

    Args:
        data_root (str): Folder of the data set.
        frame_range (int): See :class:`TrackSource`. Defaults to 100.
        min_size (float): Frames whose box has a side below this many pixels
            are left out. Defaults to 4.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If the folder or an annotation file is not there.
        ValueError: If an annotation file is not as expected, or no frame is
            left.
    """

    def __init__(self,
                 data_root: str,
                 frame_range: int = 100,
                 min_size: float = 4,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        data_root = osp.expanduser(data_root)
        if not osp.isdir(data_root):
            raise FileNotFoundError(f'no folder {data_root}')
        index = VideoIndex()
        for video in progress(self.list_videos(data_root),
                              type(self).__name__):
            template, numbers, bboxes = self.read_video(data_root, video)
            # Whatever min_size is: without an area nothing can be cropped.
            bboxes[~(bboxes[:, 2:] > 0).all(axis=1)] = np.nan
            index.add_video(template, numbers)
            index.add_track(np.arange(len(bboxes)), bboxes, numbers)
        super().__init__(
            table=large_enough(index.table(), min_size, data_root),
            img_root=data_root,
            frame_range=frame_range,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)

    @abstractmethod
    def list_videos(self, data_root: str) -> List[str]:
        """The videos of the data set.

        Args:
            data_root (str): Its folder.

        Returns:
            list[str]: Names for :meth:`read_video`.
        """

    @abstractmethod
    def read_video(self, data_root: str,
                   video: str) -> Tuple[str, np.ndarray, np.ndarray]:
        """Read the annotations of one video.

        Args:
            data_root (str): The data set's folder.
            video (str): One of :meth:`list_videos`.

        Returns:
            tuple[str, ndarray, ndarray]: Template of the image paths, see
            :class:`NumberedPaths`; (N,) number of each image, which is its
            time as well; (N, 4) x, y, w, h in image pixels, nan or without an
            area where the target is not visible.
        """
