"""Dark and noisy crops."""
from typing import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairLowLight(BaseTransform):
    """Darken crops by a power of their levels, and add a sensor's noise.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (Sequence[float]): Probability for template and search crop.
            Defaults to (0.05, 0.1).
        gamma (Sequence[float]): Smallest and largest exponent; above 1
            darkens. Defaults to (1, 2.5).
        noise (float): Largest standard deviation of the noise, in levels.
            Defaults to 12.

    Raises:
        ValueError: If ``prob`` or ``gamma`` is not a pair.
    """

    def __init__(self,
                 prob: Sequence[float] = (0.05, 0.1),
                 gamma: Sequence[float] = (1., 2.5),
                 noise: float = 12.) -> None:
        for name, value in (('prob', prob), ('gamma', gamma)):
            if len(value) != 2:
                raise ValueError(f'{name} needs two values, but got {value}')
        self.prob = tuple(prob)
        self.gamma = tuple(gamma)
        self.noise = noise

    def transform(self, results: dict) -> dict:
        """Darken some of the crops.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 crops.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        for i, img in enumerate(results['img']):
            if rng.random() < self.prob[i]:
                levels = (np.arange(256) / 255)**rng.uniform(*self.gamma)
                table = (255 * levels).round().astype(np.uint8)
                noise = rng.standard_normal(
                    img.shape, dtype=np.float32) * rng.uniform(0, self.noise)
                results['img'][i] = cv2.add(
                    cv2.LUT(img, table), noise, dtype=cv2.CV_8U)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'gamma={self.gamma}, noise={self.noise})')
