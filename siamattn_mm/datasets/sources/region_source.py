"""Pairs of any region of a photograph."""
import os.path as osp
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np
from mmtrack.registry import DATASETS

from .base import Frame, PairSource
from .photos import list_photos


@DATASETS.register_module()
class RegionSource(PairSource):
    """Rectangles of photographs without annotations, as if they were objects.

    A box that follows no object's outline can only be found where the
    template says: such pairs teach to match, not to look for objects.
    Template and search crop come from the same photograph; the pipeline's
    shift, scale, colour and blur make them differ.

    Args:
        data_root (str): Folder of photographs.
        size (Sequence[float]): Smallest and largest size of a region, square
            root of width times height, in pixels of a photograph. Defaults
            to (24, 140).
        max_aspect (float): Largest ratio of width and height, either way.
            Defaults to 2.5.
        min_contrast (float): Regions whose grey values have a lower standard
            deviation are drawn again, a few times. Defaults to 20.
        pairs_per_epoch (int, optional): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If the folder is not there.
        ValueError: If there are no photographs, or an argument is out of
            range.
    """

    # After so many draws even a flat region is taken.
    max_draws = 8

    def __init__(self,
                 data_root: str,
                 size: Sequence[float] = (24, 140),
                 max_aspect: float = 2.5,
                 min_contrast: float = 20,
                 pairs_per_epoch: Optional[int] = None) -> None:
        super().__init__(pairs_per_epoch)
        if len(size) != 2 or not 4 <= size[0] <= size[1]:
            raise ValueError('size must be the smallest (4 or more) and the '
                             f'largest size, but got {size}')
        if max_aspect < 1:
            raise ValueError(f'max_aspect must be 1 or more, but got '
                             f'{max_aspect}')
        self.root = osp.expanduser(data_root)
        self.photos = list_photos(self.root)
        self.size = tuple(size)
        self.max_aspect = max_aspect
        self.min_contrast = min_contrast

    def __len__(self) -> int:
        return len(self.photos)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(photos={len(self)}, '
                f'pairs_per_epoch={self.pairs_per_epoch})')

    def draw_single(self, rng: np.random.Generator) -> Frame:
        """Frame: A random region of a random photo."""
        return self._draw(rng, int(rng.integers(len(self))))

    def draw_positive(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: One region, twice."""
        frame = self.draw_single(rng)
        return frame, frame

    def draw_negative(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: Regions of two photos."""
        first, second = rng.choice(len(self), 2, replace=False)
        return self._draw(rng, int(first)), self._draw(rng, int(second))

    def _draw(self, rng: np.random.Generator, index: int) -> Frame:
        path = osp.join(self.root, self.photos[index])
        img = self.reader.image(path)
        for _ in range(self.max_draws):
            x, y, w, h = self._draw_box(rng, img.shape)
            region = cv2.cvtColor(img[y:y + h, x:x + w], cv2.COLOR_BGR2GRAY)
            if region.std() >= self.min_contrast:
                break
        return Frame(img, np.array([x, y, w, h], np.float32), None, path)

    def _draw_box(self, rng: np.random.Generator,
                  shape: Sequence[int]) -> Tuple[int, int, int, int]:
        height, width = shape[:2]
        size = np.exp(rng.uniform(*np.log(self.size)))
        aspect = np.exp(rng.uniform(-1, 1) * np.log(self.max_aspect) / 2)
        w = int(np.clip(round(size * aspect), 1, width))
        h = int(np.clip(round(size / aspect), 1, height))
        return (int(rng.integers(width - w + 1)),
                int(rng.integers(height - h + 1)), w, h)
