"""Annotated tracks of one data set in flat arrays."""
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from .numbered_paths import NumberedPaths
from .string_table import StringTable


class TrackTable:
    """The tracks of a data set: which boxes lie in which images.

    A *row* is one annotated frame of one track. Rows of a track follow each
    other in the order of time. About 30 bytes a row with numbered paths, and
    nothing that grows when a data loader worker reads it.

    Args:
        images (StringTable | NumberedPaths): Image paths, relative to the
            data set's root.
        lengths (Sequence[int]): Rows of each of the T tracks.
        image_ids (ndarray): (F,) index into ``images`` of each row.
        bboxes (ndarray): (F, 4) x, y, w, h in image pixels; x, y is the
            outer edge of the top left pixel, counted from 0.
        frame_ids (ndarray, optional): (F,) time of each row, in frames of the
            video, ascending within a track. Defaults to None: 0 everywhere
            (still images).
        mask_ids (ndarray, optional): (F,) index into the data set's masks, or
            -1 where there is none. Defaults to None: -1 everywhere.

    Raises:
        ValueError: If the arrays' lengths do not fit each other.
    """

    def __init__(self,
                 images: Union[StringTable, NumberedPaths],
                 lengths: Sequence[int],
                 image_ids: np.ndarray,
                 bboxes: np.ndarray,
                 frame_ids: Optional[np.ndarray] = None,
                 mask_ids: Optional[np.ndarray] = None) -> None:
        self.images = images
        self.ends = np.cumsum(lengths, dtype=np.int64)
        self.image_ids = np.ascontiguousarray(image_ids, dtype=np.int32)
        self.bboxes = np.ascontiguousarray(
            bboxes, dtype=np.float32).reshape(-1, 4)
        rows = self.num_rows
        self.frame_ids = self._column(frame_ids, 0, rows)
        self.mask_ids = self._column(mask_ids, -1, rows)
        for name in ('image_ids', 'bboxes', 'frame_ids', 'mask_ids'):
            if len(getattr(self, name)) != rows:
                raise ValueError(
                    f'{name} has {len(getattr(self, name))} rows, but the '
                    f'lengths of the tracks add up to {rows}')
        # Rows sorted by image, to find what else is annotated in an image;
        # None if they are sorted as they stand.
        self._by_image = None
        if (np.diff(self.image_ids) < 0).any():
            self._by_image = np.argsort(
                self.image_ids, kind='stable').astype(np.int32)

    @staticmethod
    def _column(values: Optional[np.ndarray], default: int,
                rows: int) -> np.ndarray:
        if values is None:
            # One number, seen as many; read-only.
            return np.broadcast_to(np.int32(default), (rows, ))
        return np.ascontiguousarray(values, dtype=np.int32)

    def __len__(self) -> int:
        """Number of tracks T."""
        return len(self.ends)

    @property
    def num_rows(self) -> int:
        """int: Number of annotated frames F."""
        return int(self.ends[-1]) if len(self.ends) else 0

    @property
    def nbytes(self) -> int:
        """int: Bytes that all arrays take."""
        arrays = [self.ends, self.image_ids, self.bboxes, self.frame_ids,
                  self.mask_ids]
        if self._by_image is not None:
            arrays.append(self._by_image)
        return self.images.nbytes + sum(
            array.nbytes if array.strides[0] else array.itemsize
            for array in arrays)

    def rows_of_track(self, track: int) -> Tuple[int, int]:
        """First row of a track, and the row after its last.

        Args:
            track (int): From 0 to ``len(self) - 1``.

        Returns:
            tuple[int, int]: ``start, end``.
        """
        start = int(self.ends[track - 1]) if track > 0 else 0
        return start, int(self.ends[track])

    def track_of_row(self, row: int) -> int:
        """The track that a row belongs to."""
        return int(np.searchsorted(self.ends, row, side='right'))

    def rows_near(self, row: int, frame_range: int) -> Tuple[int, int]:
        """Rows of the same track at most ``frame_range`` frames away.

        Args:
            row (int): A row.
            frame_range (int): Largest distance in frames of the video.

        Returns:
            tuple[int, int]: ``start, end``; ``row`` itself is among them.
        """
        start, end = self.rows_of_track(self.track_of_row(row))
        frames = self.frame_ids[start:end]
        frame = int(self.frame_ids[row])
        first = np.searchsorted(frames, frame - frame_range, side='left')
        last = np.searchsorted(frames, frame + frame_range, side='right')
        return start + int(first), start + int(last)

    def rows_of_image(self, image_id: int) -> np.ndarray:
        """All rows whose box lies in an image.

        Args:
            image_id (int): Index into ``images``.

        Returns:
            ndarray: (K,) int32 rows.
        """
        # Looking for a wider number would copy the whole column.
        image_id = np.int32(image_id)
        first = np.searchsorted(
            self.image_ids, image_id, side='left', sorter=self._by_image)
        last = np.searchsorted(
            self.image_ids, image_id, side='right', sorter=self._by_image)
        if self._by_image is None:
            return np.arange(first, last, dtype=np.int32)
        return self._by_image[first:last]

    def large_enough(self, min_size: float) -> 'TrackTable':
        """The same without small and absent objects.

        Args:
            min_size (float): Rows whose box has a side below this are left
                out, and those whose box is nan. So are tracks without any
                row left.

        Returns:
            TrackTable: With the same images.
        """
        keep = (self.bboxes[:, 2:] >= min_size).all(axis=1)
        if keep.all() and (np.diff(self.ends, prepend=0) > 0).all():
            return self
        kept = np.concatenate([[0], np.cumsum(keep)])[self.ends]
        lengths = np.diff(kept, prepend=0)
        return TrackTable(self.images, lengths[lengths > 0],
                          self.image_ids[keep], self.bboxes[keep],
                          self.frame_ids[keep], self.mask_ids[keep])

    def to_arrays(self) -> Dict[str, np.ndarray]:
        """All that is in it, to be saved.

        Returns:
            dict[str, ndarray]: For :meth:`from_arrays`.
        """
        arrays = {f'image_{name}': value
                  for name, value in self.images.to_arrays().items()}
        arrays.update(
            lengths=np.diff(self.ends, prepend=0),
            image_ids=self.image_ids,
            bboxes=self.bboxes)
        for name in ('frame_ids', 'mask_ids'):
            # One number for all is a default, and is not saved as many.
            if getattr(self, name).strides[0]:
                arrays[name] = getattr(self, name)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Dict[str, np.ndarray]) -> 'TrackTable':
        """Make it again from what :meth:`to_arrays` returned."""
        images = {
            name[len('image_'):]: value
            for name, value in arrays.items() if name.startswith('image_')
        }
        kind = NumberedPaths if 'numbers' in images else StringTable
        return cls(kind.from_arrays(images), arrays['lengths'],
                   arrays['image_ids'], arrays['bboxes'],
                   arrays.get('frame_ids'), arrays.get('mask_ids'))


def concat_tracks(arrays: List[np.ndarray], dtype: type,
                  width: int = 0) -> np.ndarray:
    """Concatenate one array a track, also when there are no tracks.

    Args:
        arrays (list[ndarray]): One array a track, (L,) or (L, width).
        dtype (type): Type of the result.
        width (int): Columns; 0 for one-dimensional arrays. Defaults to 0.

    Returns:
        ndarray: (F,) or (F, width).
    """
    shape = (0, width) if width else (0, )
    return np.concatenate([np.zeros(shape, dtype)] + arrays).astype(dtype)
