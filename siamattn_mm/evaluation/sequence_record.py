"""What is known of one sequence while it is tracked."""
from typing import Optional, Tuple

import numpy as np


class SequenceRecord:
    """Collects a frame at a time: numbers only, no image and no mask.

    Args:
        name (str): The sequence.
        video_id (int): Its number in the data set.
        length (int): Its number of frames N.
        image_size (tuple[int, int], optional): Width and height of the
            frames. Defaults to None: not known.

    Attributes:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) true x, y, w, h, nan where absent.
        scores (ndarray): (N,) the tracker's scores.
        track_times (ndarray): (N,) seconds in the tracker; nan: not known.
        wall_times (ndarray): (N,) seconds since the frame before.
        mask_ious (ndarray): (N,) J; nan: not annotated.
        num_masks (int): How many masks the tracker gave.
    """

    def __init__(self,
                 name: str,
                 video_id: int,
                 length: int,
                 image_size: Optional[Tuple[int, int]] = None) -> None:
        self.name = name
        self.video_id = video_id
        self.length = length
        self.image_size = image_size
        self.num_masks = 0
        self.num_frames = 0
        self.pred = np.full((length, 4), np.nan)
        self.truth = np.full((length, 4), np.nan)
        self.scores = np.full(length, np.nan)
        self.track_times = np.full(length, np.nan)
        self.wall_times = np.full(length, np.nan)
        self.mask_ious = np.full(length, np.nan)

    @property
    def complete(self) -> bool:
        """bool: Whether all frames are in."""
        return self.num_frames == self.length

    def add(self,
            pred: np.ndarray,
            truth: np.ndarray,
            score: float,
            track_time: Optional[float] = None,
            wall_time: Optional[float] = None,
            mask_iou: Optional[float] = None) -> None:
        """Add the next frame.

        Args:
            pred (ndarray): (4,) predicted x, y, w, h in pixels.
            truth (ndarray): (4,) ground truth, nan where the target is
                absent.
            score (float): The tracker's score.
            track_time (float, optional): Seconds in the tracker. Defaults to
                None: not known.
            wall_time (float, optional): Seconds since the frame before it,
                loading included. Defaults to None: not known.
            mask_iou (float, optional): J of this frame. Defaults to None: not
                known.
        """
        index = self.num_frames
        self.pred[index] = pred
        self.truth[index] = truth
        self.scores[index] = score
        for array, value in ((self.track_times, track_time),
                             (self.wall_times, wall_time),
                             (self.mask_ious, mask_iou)):
            if value is not None:
                array[index] = value
        self.num_frames += 1
