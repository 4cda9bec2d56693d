"""One video with the target's place in each frame."""
import os.path as osp
from dataclasses import dataclass
from typing import List, Optional

import numpy as np

from ..storage.string_table import StringTable


@dataclass(frozen=True, eq=False)
class TrackingSequence:
    """One video with the target's place in each of its N frames.

    Nothing in it is one Python object per frame, so it can be shared between
    data loader workers.

    Args:
        name (str): The folder's name.
        folder (str): The folder's path.
        frame_names (StringTable): N image files, relative to ``folder``.
        boxes (ndarray): (N, 4) float32 x, y, w, h in image pixels, nan where
            the target is absent. Of a polygon, it is the upright rectangle
            around the corners.
        polygons (ndarray, optional): (N, 8) float32 x1, y1, ..., x4, y4, nan
            where the target is absent; None if every line has 4 numbers.
        mask_names (StringTable, optional): N mask files, relative to
            ``folder``; None if the sequence has no masks.
    """
    name: str
    folder: str
    frame_names: StringTable
    boxes: np.ndarray
    polygons: Optional[np.ndarray] = None
    mask_names: Optional[StringTable] = None

    def __len__(self) -> int:
        """Number of frames N."""
        return len(self.boxes)

    @property
    def visible(self) -> np.ndarray:
        """ndarray: (N,) bool, False where the target is absent."""
        return ~np.isnan(self.boxes[:, 0])

    def frame_path(self, index: int) -> str:
        """Path of the image of frame ``index`` (from 0)."""
        return osp.join(self.folder, self.frame_names[index])

    def mask_path(self, index: int) -> Optional[str]:
        """Path of the mask of frame ``index``, None without masks."""
        if self.mask_names is None:
            return None
        return osp.join(self.folder, self.mask_names[index])

    @property
    def frame_paths(self) -> List[str]:
        """list[str]: Paths of all images."""
        return [self.frame_path(i) for i in range(len(self))]

    @property
    def mask_paths(self) -> Optional[List[str]]:
        """list[str] | None: Paths of all masks."""
        if self.mask_names is None:
            return None
        return [self.mask_path(i) for i in range(len(self))]
