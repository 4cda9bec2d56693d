"""Video object segmentation: the target is given by its first mask."""
import os.path as osp
from typing import Optional

import numpy as np

from ..reading.ground_truth import SequenceFolderError
from ..reading.image_reader import ImageReader, UnreadableFrameError
from .base import BenchmarkDataset, BenchmarkSequence


class VOSBenchmarkDataset(BenchmarkDataset):
    """A benchmark of masks; one object of a video is one sequence.

    The boxes are those around the masks. Where a frame has no mask file, the
    target counts as absent, since nothing is known of it.
    """

    def __init__(self, *args, **kwargs) -> None:
        self._reader = ImageReader()
        super().__init__(*args, **kwargs)

    def get_ann_infos_from_video(self, video_idx: int) -> dict:
        """dict: The base class's keys; boxes are those of the masks."""
        sequence = self.get_sequence(video_idx)
        boxes = np.zeros((len(sequence), 4), dtype=np.float32)
        for i in range(len(sequence)):
            path = sequence.mask_path(i)
            if path is not None:
                box = mask_box(self.read_mask(path), sequence.object_id)
                boxes[i] = np.nan_to_num(box)
        visible = boxes[:, 2] > 0
        boxes[:, 2:] += boxes[:, :2]
        return dict(bboxes=boxes, bboxes_isvalid=visible, visible=visible)

    def read_mask(self, path: str) -> np.ndarray:
        """Read a mask.

        Args:
            path (str): The file.

        Returns:
            ndarray: (H, W) uint8 object numbers.

        Raises:
            SequenceFolderError: If it cannot be read.
        """
        try:
            return self._reader.mask(path)
        except UnreadableFrameError as error:
            raise SequenceFolderError(str(error)) from error

    def make_object(self, name: str, frame_names: list, mask_names: list,
                    object_id: Optional[int]) -> BenchmarkSequence:
        """Make the sequence of one object.

        Args:
            name (str): Of its result files.
            frame_names (list[str]): N images, relative to ``data_root``.
            mask_names (list[str]): N masks, '' where there is none; the first
                is needed.
            object_id (int, optional): The object's number in them; None:
                whatever is not 0.

        Returns:
            BenchmarkSequence: Its arrays; of the boxes, the first is known.

        Raises:
            SequenceFolderError: If the object is not in the first mask.
        """
        path = osp.join(self.data_root, mask_names[0])
        boxes = np.full((len(frame_names), 4), np.nan, dtype=np.float32)
        boxes[0] = mask_box(self.read_mask(path), object_id)
        if np.isnan(boxes[0, 0]):
            what = 'object' if object_id is None else f'object {object_id}'
            raise SequenceFolderError(
                f'{path}: no {what} in the mask that shall give the target')
        return self.make_sequence(
            name,
            self.data_root,
            frame_names,
            boxes,
            mask_names=mask_names,
            object_id=object_id)


def mask_box(mask: np.ndarray, object_id: Optional[int] = None) -> np.ndarray:
    """The upright rectangle around an object.

    Args:
        mask (ndarray): (H, W) object numbers.
        object_id (int, optional): The object's. Defaults to None: whatever is
            not 0.

    Returns:
        ndarray: (4,) float32 x, y, w, h in pixels: it ends behind the last
        pixel. nan without the object.
    """
    inside = mask > 0 if object_id is None else mask == object_id
    columns = np.flatnonzero(inside.any(axis=0))
    rows = np.flatnonzero(inside.any(axis=1))
    if len(columns) == 0:
        return np.full(4, np.nan, dtype=np.float32)
    return np.array([
        columns[0], rows[0], columns[-1] - columns[0] + 1,
        rows[-1] - rows[0] + 1
    ], dtype=np.float32)
