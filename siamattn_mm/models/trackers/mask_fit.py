"""How a mask's box fits what the user calls the target."""
from typing import NamedTuple, Optional, Sequence

import numpy as np

from siamattn_mm.structures.boxes import overlaps

# An edge that is further off, in sizes of the box, is another thing's.
MAX_OFFSET = 0.3


class MaskFit(NamedTuple):
    """What the first frame, whose box is given, shows of the mask's box.

    On what the network does not know, its mask is a part of the target or
    nothing; on another target it has the wheel's outline where the user wants
    the rider's alone. Both are much the same over a video. Not in the paper.

    Attributes:
        overlap (float): IoU of the box around the mask with the given one;
            0 without a mask.
        offsets (tuple[float, float, float, float]): Of the mask's left, top,
            right and bottom edge from the given box's, in sizes of the
            latter; of at most 0.3.
    """
    overlap: float
    offsets: Sequence[float]

    @classmethod
    def of(cls, given: np.ndarray, around: Optional[np.ndarray]) -> 'MaskFit':
        """Compare.

        Args:
            given (np.ndarray): (4,), xywh in image pixels.
            around (np.ndarray, optional): Of the mask's box, likewise. None
                if there is none.

        Returns:
            MaskFit: Of the two.
        """
        if around is None:
            return cls(0., (0., ) * 4)
        edges = _edges(around) - _edges(given)
        offsets = np.clip(edges / np.tile(given[2:], 2), -MAX_OFFSET,
                          MAX_OFFSET)
        return cls(
            overlap(around, given),
            tuple(map(float, offsets)))

    def trust(self, lowest: float, highest: float) -> float:
        """How far the mask's box is to be trusted.

        Args:
            lowest (float): Overlap in the first frame at which it is not.
            highest (float): At which it is.

        Returns:
            float: 0..1, linear between the two.
        """
        if self.overlap >= highest:
            return 1.
        return max(0., (self.overlap - lowest) / (highest - lowest))

    def corrected(self, around: np.ndarray, share: float) -> np.ndarray:
        """Take off what the first frame's mask was wrong by.

        Args:
            around (np.ndarray): (4,) of a later mask's box, xywh in image
                pixels.
            share (float): So much of it, 0..1.

        Returns:
            np.ndarray: (4,), likewise.
        """
        offsets = share * np.asarray(self.offsets)
        size = around[2:] / (1 + offsets[2:] - offsets[:2])
        return np.concatenate([around[:2] - offsets[:2] * size, size])


def overlap(box: np.ndarray, other: np.ndarray) -> float:
    """IoU of two boxes.

    Args:
        box (np.ndarray): (4,), xywh.
        other (np.ndarray): (4,), xywh.

    Returns:
        float: 0..1.
    """
    both = np.stack([box, other])
    centred = np.concatenate([both[:, :2] + both[:, 2:] / 2, both[:, 2:]], 1)
    return float(overlaps(centred[:1], centred[1:])[0, 0])


def _edges(box: np.ndarray) -> np.ndarray:
    return np.concatenate([box[:2], box[:2] + box[2:]])
