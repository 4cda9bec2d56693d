"""Pairs as a thermal camera would show them."""
from typing import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairThermal(BaseTransform):
    """Turn both crops of some pairs grey, with few levels, or inverted.

    Both crops get the same: what is warm stays bright, or dark where the
    camera shows it so.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (float): Probability for a pair. Defaults to 0.1.
        contrast (Sequence[float]): Smallest and largest factor of all
            levels' distance from the middle one. Defaults to (0.3, 1.2).
        invert_prob (float): Probability that a changed pair is inverted.
            Defaults to 0.5.

    Raises:
        ValueError: If ``contrast`` is not a pair.
    """

    def __init__(self,
                 prob: float = 0.1,
                 contrast: Sequence[float] = (0.3, 1.2),
                 invert_prob: float = 0.5) -> None:
        if len(contrast) != 2:
            raise ValueError(
                f'contrast needs two values, but got {contrast}')
        self.prob = prob
        self.contrast = tuple(contrast)
        self.invert_prob = invert_prob

    def transform(self, results: dict) -> dict:
        """Change both crops, or none.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 BGR crops.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        if rng.random() < self.prob:
            gain = rng.uniform(*self.contrast)
            if rng.random() < self.invert_prob:
                gain = -gain
            middle = rng.uniform(90, 165)
            table = ((np.arange(256) - 127.5) * gain + middle).round().clip(
                0, 255).astype(np.uint8)
            results['img'] = [
                cv2.cvtColor(
                    cv2.LUT(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY), table),
                    cv2.COLOR_GRAY2BGR) for img in results['img']
            ]
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'contrast={self.contrast}, '
                f'invert_prob={self.invert_prob})')
