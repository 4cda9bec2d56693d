"""Objects and photographs that synthetic frames are made of."""
import os.path as osp
from typing import List, Sequence, Tuple

import numpy as np

from ..reading.image_reader import UnreadableFrameError
from ..storage.byte_cache import ByteCache
from .coco_source import CocoSource
from .cutout import cut_out
from .photos import list_photos


class CutoutLibrary:
    """Objects with masks, cut out when they are asked for, and photographs.

    Args:
        data_root (str): Folder that the other paths are relative to.
        cutouts (Sequence[str]): COCO-format data sets whose objects with
            masks are cut out, as :class:`CocoSource` reads them.
        photos (str): Folder of photographs.
        min_size (float): Objects with a side below this many pixels are not
            cut out.
        max_size (float): Larger objects are shrunk to this square root of
            width times height.
        cache_mb (float): Cut-outs that each worker keeps, in MB.

    Raises:
        FileNotFoundError: If a folder or an annotation file is not there.
        ValueError: If there are no photographs, or no objects with masks.
    """

    def __init__(self, data_root: str, cutouts: Sequence[str], photos: str,
                 min_size: float, max_size: float, cache_mb: float) -> None:
        data_root = osp.expanduser(data_root)
        self.max_size = max_size
        self.photo_root = osp.join(data_root, photos)
        self.photos = list_photos(self.photo_root)
        self.sources = [
            CocoSource(osp.join(data_root, name), min_size=min_size)
            for name in cutouts
        ]
        # Not the reader's cache: a cut-out is a tenth of an image, and whole
        # photographs would push it out.
        self._cache = ByteCache(int(cache_mb * 2**20))
        self._objects, self._kinds = _index_objects(self.sources)
        if not len(self._objects):
            raise ValueError(
                f'no objects with masks in {list(cutouts)} under {data_root}')

    def __len__(self) -> int:
        """Number of objects."""
        return len(self._objects)

    def photo_path(self, index: int) -> str:
        """Path of a photograph."""
        return osp.join(self.photo_root, self.photos[index])

    def cut_out(self, index: int) -> Tuple[np.ndarray, str]:
        """An object, and the image that it is from.

        Args:
            index (int): From 0 to ``len(self) - 1``.

        Returns:
            tuple[ndarray, str]: (H, W, 4) uint8, see :mod:`.cutout`, and a
            path.

        Raises:
            UnreadableFrameError: If it cannot be read, or its mask is empty.
        """

        def make() -> Tuple[np.ndarray, str]:
            source, row = (int(v) for v in self._objects[index])
            frame = self.sources[source].read(row)
            cutout = cut_out(frame, max_size=self.max_size)
            if cutout is None:
                raise UnreadableFrameError(frame.img_path, 'an empty mask')
            return cutout, frame.img_path

        return self._cache.get(index, make, lambda made: made[0].nbytes)

    def draw_other(self, rng: np.random.Generator, index: int) -> int:
        """Another object, of the same kind if there is one.

        Args:
            rng (np.random.Generator): Decides which.
            index (int): The object.

        Returns:
            int: The other one.
        """
        same = np.flatnonzero(self._kinds == self._kinds[index])
        if len(same) < 2:
            same = np.arange(len(self))
        place = int(np.searchsorted(same, index))
        step = int(rng.integers(1, max(len(same), 2)))
        return int(same[(place + step) % len(same)])


def _index_objects(
        sources: List[CocoSource]) -> Tuple[np.ndarray, np.ndarray]:
    """Objects with masks: (N, 2) source and row, and (N,) kind."""
    objects, kinds, first_kind = [], [], 0
    for i, source in enumerate(sources):
        rows = np.flatnonzero(source.table.mask_ids >= 0)
        objects.append(np.stack([np.full_like(rows, i), rows], axis=1))
        kinds.append(source.categories[rows] + first_kind)
        first_kind += int(source.categories.max()) + 1
    return np.concatenate(objects), np.concatenate(kinds)
