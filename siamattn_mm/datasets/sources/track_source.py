"""Pairs from tracks that are annotated in files."""
import os.path as osp
from typing import Optional, Tuple, Union

import numpy as np

from ..errors import DataError
from ..reading.image_reader import UnreadableFrameError
from ..storage.mask_store import CocoMasks, MaskFiles
from ..storage.track_table import TrackTable
from .base import Frame, PairSource


class TrackSource(PairSource):
    """Pairs of frames of the tracks in a :class:`TrackTable`.

    Derived classes read a data set's files and pass what they found.

    Args:
        table (TrackTable): All tracks.
        img_root (str): What the table's image paths are relative to.
        masks (MaskFiles | CocoMasks, optional): What the table's mask ids
            refer to. Defaults to None.
        image_sizes (ndarray, optional): (I, 2) width, height that the
            annotations were made for. An image of another size counts as
            unreadable. Defaults to None: not checked.
        frame_range (int): Largest distance of template and search frame, in
            frames of the video. Defaults to 100.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        ValueError: If there are no tracks, or ``frame_range`` is negative.
    """

    def __init__(self,
                 table: TrackTable,
                 img_root: str,
                 masks: Optional[Union[MaskFiles, CocoMasks]] = None,
                 image_sizes: Optional[np.ndarray] = None,
                 frame_range: int = 100,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        super().__init__(pairs_per_epoch, distinct_objects)
        if len(table) == 0:
            raise ValueError(f'{img_root} has no usable annotation')
        if frame_range < 0:
            raise ValueError(
                f'frame_range must be 0 or more, but got {frame_range}')
        self.table = table
        self.img_root = img_root
        self.masks = masks
        self.image_sizes = image_sizes
        self.frame_range = frame_range

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(img_root={self.img_root!r}, '
                f'tracks={len(self)}, frames={self.table.num_rows}, '
                f'pairs_per_epoch={self.pairs_per_epoch})')

    def draw_single(self, rng: np.random.Generator) -> Frame:
        """Frame: A random frame of a random track."""
        return self.read(self._draw_row(rng))

    def draw_positive(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: Of a track, ``frame_range`` apart at most."""
        row = self._draw_row(rng)
        first, last = self.table.rows_near(row, self.frame_range)
        other = int(rng.integers(first, last))
        return self.read(row), self.read(other)

    def draw_negative(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: Two objects.

        The other object is one of the same image if there is one that is not
        too near, since it has the same light and often is of the same kind;
        else one of another track.
        """
        row = self._draw_row(rng)
        others = self._others_in_image(row)
        if len(others):
            other = int(others[rng.integers(len(others))])
        else:
            other = self._draw_elsewhere(rng, row)
        return self.read(row), self.read(other)

    def _draw_elsewhere(self, rng: np.random.Generator, row: int) -> int:
        """A row of another track in another image."""
        table = self.table
        own = table.track_of_row(row)
        first = int(rng.integers(len(self)))
        for i in range(len(self)):
            track = (first + i) % len(self)
            other = int(rng.integers(*table.rows_of_track(track)))
            if track != own and table.image_ids[other] != table.image_ids[row]:
                return other
        raise ValueError(f'no negative pairs: {self!r} has only one object, '
                         'or all of them lie in each other')

    def _draw_row(self, rng: np.random.Generator) -> int:
        # Track first: a long track is no more worth than a short one.
        track = int(rng.integers(len(self)))
        return int(rng.integers(*self.table.rows_of_track(track)))

    def _others_in_image(self, row: int) -> np.ndarray:
        """Rows of objects well away from this one in the same image.

        The template's own object may then still be seen in the search crop,
        but not where a negative pair says that there is no target: within
        half a template crop's side of the other object's centre.
        """
        table = self.table
        rows = table.rows_of_image(int(table.image_ids[row]))
        boxes = table.bboxes[rows]
        own = table.bboxes[row]
        distance = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 -
                          (own[:2] + own[2:] / 2)).max(axis=1)
        padded = boxes[:, 2:] + boxes[:, 2:].sum(axis=1, keepdims=True) / 2
        return rows[distance > np.sqrt(padded.prod(axis=1)) / 2]

    def read(self, row: int) -> Frame:
        """Read a row's image and mask.

        Args:
            row (int): A row of the table.

        Returns:
            Frame: The object in its image.

        Raises:
            UnreadableFrameError: If a file cannot be read, or does not fit
                its annotation.
        """
        table = self.table
        image_id = int(table.image_ids[row])
        path = osp.join(self.img_root, table.images[image_id])
        img = self.reader.image(path)
        height, width = img.shape[:2]
        if self.image_sizes is not None:
            expected = tuple(int(v) for v in self.image_sizes[image_id])
            if expected != (width, height):
                raise UnreadableFrameError(
                    path, f'has {width}x{height} pixels, but was annotated '
                    f'with {expected[0]}x{expected[1]}')
        mask = None
        mask_id = int(table.mask_ids[row])
        if self.masks is not None and mask_id >= 0:
            mask = self.masks.read(mask_id, self.reader, height, width)
        return Frame(img, table.bboxes[row], mask, path)


def check_sizes(kept: int, largest: float, min_size: float,
                data_root: str) -> None:
    """Say so if every target is too small to learn from.

    Args:
        kept (int): How many frames are left.
        largest (float): The largest shorter side of all boxes; 0 if there
            are none.
        min_size (float): What a shorter side must be.
        data_root (str): The data, for the message.

    Raises:
        DataError: If there are boxes, but none is left.
    """
    if not kept and largest > 0:
        raise DataError(
            f'{data_root}: every target is too small: the largest has a '
            f'shorter side of {largest:g}, but min_size is {min_size:g}')


def large_enough(table: TrackTable, min_size: float,
                 data_root: str) -> TrackTable:
    """A table without small and absent objects.

    Args:
        table (TrackTable): All tracks.
        min_size (float): See :meth:`TrackTable.large_enough`.
        data_root (str): The data, for the message.

    Returns:
        TrackTable: What is left.

    Raises:
        DataError: If all are too small.
    """
    left = table.large_enough(min_size)
    sides = table.bboxes[:, 2:].min(axis=1)
    largest = sides[~np.isnan(sides)].max(initial=0)
    check_sizes(left.num_rows, float(largest), min_size, data_root)
    return left
