"""Blurred crops."""
from typing import Sequence

import cv2
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairBlur(BaseTransform):
    """Blur along rows and columns, as a moving camera does.

    The result is a mixture of the crop blurred along its rows and along its
    columns: the cross-shaped kernel of mmtrack's ``SeqBlurAug``, without its
    cost.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (Sequence[float]): Probability for template and search crop.
            Defaults to (0, 0.2).
        sizes (Sequence[int]): Smallest and largest length of the blur in crop
            pixels. Defaults to (5, 45).

    Raises:
        ValueError: If an argument is not a pair.
    """

    def __init__(self,
                 prob: Sequence[float] = (0., 0.2),
                 sizes: Sequence[int] = (5, 45)) -> None:
        for name, value in (('prob', prob), ('sizes', sizes)):
            if len(value) != 2:
                raise ValueError(f'{name} needs two values, but got {value}')
        self.prob = tuple(prob)
        self.sizes = tuple(sizes)

    def transform(self, results: dict) -> dict:
        """Blur the crops.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 crops.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        for i, img in enumerate(results['img']):
            if rng.random() < self.prob[i]:
                # Odd, so that the blur does not move the image.
                size = int(rng.integers(self.sizes[0], self.sizes[1] + 1)) | 1
                weight = float(rng.random())
                results['img'][i] = cv2.addWeighted(
                    cv2.blur(img, (1, size)), weight,
                    cv2.blur(img, (size, 1)), 1 - weight, 0)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'sizes={self.sizes})')
