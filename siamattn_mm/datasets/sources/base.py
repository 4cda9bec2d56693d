"""What a source of training pairs has to offer."""
from abc import ABCMeta, abstractmethod
from typing import NamedTuple, Optional, Tuple

import numpy as np

from ..reading.image_reader import ImageReader


class Frame(NamedTuple):
    """One image with one annotated object.

    Attributes:
        img (ndarray): (H, W, 3) uint8, BGR. Not to be written to.
        bbox (ndarray): (4,) float32 x, y, w, h in image pixels; x, y is the
            outer edge of the top left pixel, counted from 0.
        mask (ndarray, optional): (H, W) uint8, 1 inside, 0 outside; None
            where only the box is known.
        img_path (str): Where it comes from, for messages.
    """
    img: np.ndarray
    bbox: np.ndarray
    mask: Optional[np.ndarray]
    img_path: str


class PairSource(metaclass=ABCMeta):
    """One data set of annotated objects that pairs are drawn from.

    Every draw depends on the generator that is passed in and on nothing else,
    so a sample is the same whichever worker makes it.

    Args:
        pairs_per_epoch (int, optional): Pairs drawn in an epoch; 0 leaves the
            source out. Defaults to None: as many as it has tracks.
        distinct_objects (bool): Whether two tracks always show two objects.
            If not, a negative pair is never made of two of its tracks.
            Defaults to True.

    Raises:
        ValueError: If ``pairs_per_epoch`` is negative.
    """

    def __init__(self,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        if pairs_per_epoch is not None and pairs_per_epoch < 0:
            raise ValueError('pairs_per_epoch must be 0 or more, but got '
                             f'{pairs_per_epoch}')
        self._pairs_per_epoch = pairs_per_epoch
        self.distinct_objects = distinct_objects
        self.reader = ImageReader()

    @property
    def pairs_per_epoch(self) -> int:
        """int: Pairs drawn in an epoch."""
        if self._pairs_per_epoch is None:
            return len(self)
        return self._pairs_per_epoch

    @property
    def has_negatives(self) -> bool:
        """bool: Whether negative pairs can be made of this source alone."""
        return self.distinct_objects and len(self) > 1

    @abstractmethod
    def __len__(self) -> int:
        """Number of tracks."""

    @abstractmethod
    def draw_single(self, rng: np.random.Generator) -> Frame:
        """Draw any object.

        Args:
            rng (np.random.Generator): Decides everything.

        Returns:
            Frame: The object in its image.

        Raises:
            UnreadableFrameError: If a file cannot be read.
        """

    @abstractmethod
    def draw_positive(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """Draw one object twice.

        Args:
            rng (np.random.Generator): Decides everything.

        Returns:
            tuple[Frame, Frame]: Template and search frame.

        Raises:
            UnreadableFrameError: If a file cannot be read.
        """

    @abstractmethod
    def draw_negative(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """Draw two different objects that resemble each other.

        Args:
            rng (np.random.Generator): Decides everything.

        Returns:
            tuple[Frame, Frame]: Template and search frame; the search frame's
            box is that of the other object.

        Raises:
            UnreadableFrameError: If a file cannot be read.
            ValueError: If there are no two objects to choose from, see
                ``has_negatives``.
        """
