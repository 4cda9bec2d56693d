"""Collecting what the annotation files of a video data set say."""
from typing import Sequence

import numpy as np

from .numbered_paths import NumberedPaths
from .track_table import TrackTable, concat_tracks


class VideoIndex:
    """Grows video by video, and becomes a :class:`TrackTable`.

    One small array a track while it grows, none a frame.
    """

    def __init__(self) -> None:
        self._templates, self._numbers = [], []
        self._lengths, self._bboxes = [], []
        self._image_ids, self._frame_ids = [], []
        self._num_images = 0

    def add_video(self, template: str, numbers: Sequence[int]) -> None:
        """Begin a video.

        Args:
            template (str): Image paths, see :class:`NumberedPaths`.
            numbers (Sequence[int]): (I,) number in the name of each image.
        """
        self._num_images += len(numbers)
        self._templates.append(template)
        self._numbers.append(np.asarray(numbers, dtype=np.int32))

    def add_track(self, images: Sequence[int], bboxes: np.ndarray,
                  frame_ids: Sequence[int]) -> None:
        """Add an object of the video that was begun last.

        Args:
            images (Sequence[int]): (L,) which of the video's images it is
                annotated in, from 0, ascending.
            bboxes (ndarray): (L, 4) x, y, w, h in image pixels, nan where it
                is absent.
            frame_ids (Sequence[int]): (L,) time of each, in frames.
        """
        first = self._num_images - len(self._numbers[-1])
        self._image_ids.append(first + np.asarray(images, dtype=np.int32))
        self._bboxes.append(np.asarray(bboxes, np.float32).reshape(-1, 4))
        self._frame_ids.append(np.asarray(frame_ids, dtype=np.int32))
        self._lengths.append(len(bboxes))

    def table(self) -> TrackTable:
        """What was added.

        Returns:
            TrackTable: All tracks, absent frames included.
        """
        return TrackTable(
            images=NumberedPaths(self._templates,
                                 [len(n) for n in self._numbers],
                                 concat_tracks(self._numbers, np.int32)),
            lengths=self._lengths,
            image_ids=concat_tracks(self._image_ids, np.int32),
            bboxes=concat_tracks(self._bboxes, np.float32, 4),
            frame_ids=concat_tracks(self._frame_ids, np.int32))
