"""Pairs whose target is another piece of the image than the annotation."""
from typing import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairBoxJitter(BaseTransform):
    """Change what both frames call the target, by the same share of its box.

    Where an object ends is the user's opinion: with or without its shadow,
    its rider, its lower half. A network that only ever saw annotators' boxes
    finds these, whatever the template's crop shows. Here the crop alone says
    which box is meant.

    Masks stay what they are: those of the object.

    Required Keys: rng, gt_bboxes (x, y, w, h in the image)

    Modified Keys: gt_bboxes

    Args:
        prob (float): Probability for a pair. Defaults to 0.5.
        shift (float): Largest shift, as a share of width and height.
            Defaults to 0.2.
        zoom (Sequence[float]): Smallest and largest factor of both sides.
            Defaults to (0.7, 1.3).
        aspect (float): Largest factor of the aspect ratio, either way.
            Defaults to 1.15.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self,
                 prob: float = 0.5,
                 shift: float = 0.2,
                 zoom: Sequence[float] = (0.7, 1.3),
                 aspect: float = 1.15) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], but got {prob}')
        if not 0 <= shift < 1:
            raise ValueError(f'shift must be in [0, 1), but got {shift}')
        if len(zoom) != 2 or not 0 < zoom[0] <= zoom[1]:
            raise ValueError('zoom must be the smallest factor, above 0, and '
                             f'the largest, but got {zoom}')
        if aspect < 1:
            raise ValueError(f'aspect must be 1 or more, but got {aspect}')
        self.prob = prob
        self.shift = shift
        self.zoom = tuple(zoom)
        self.aspect = aspect

    def transform(self, results: dict) -> dict:
        """Change the boxes of both frames, or of none.

        Args:
            results (dict): With ``rng`` and ``gt_bboxes``, a list of two
                (1, 4) float32, x, y, w, h.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        if rng.random() >= self.prob:
            return results
        shift = rng.uniform(-self.shift, self.shift, 2)
        zoom = np.exp(rng.uniform(*np.log(self.zoom)))
        stretch = np.exp(rng.uniform(-.5, .5) * np.log(self.aspect))
        factor = np.array([zoom * stretch, zoom / stretch])
        for box in results['gt_bboxes']:
            size = box[:, 2:].copy()
            box[:, :2] += size * (shift + (1 - factor) / 2)
            box[:, 2:] = size * factor
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'shift={self.shift}, zoom={self.zoom}, '
                f'aspect={self.aspect})')
