"""Crops with the traces of a strong compression."""
from typing import Sequence

import cv2
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairJPEG(BaseTransform):
    """Compress crops as JPEG, and read them again.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (Sequence[float]): Probability for template and search crop.
            Defaults to (0.05, 0.1).
        quality (Sequence[int]): Smallest and largest quality, of 100.
            Defaults to (10, 50).

    Raises:
        ValueError: If an argument is not a pair.
    """

    def __init__(self,
                 prob: Sequence[float] = (0.05, 0.1),
                 quality: Sequence[int] = (10, 50)) -> None:
        for name, value in (('prob', prob), ('quality', quality)):
            if len(value) != 2:
                raise ValueError(f'{name} needs two values, but got {value}')
        self.prob = tuple(prob)
        self.quality = tuple(quality)

    def transform(self, results: dict) -> dict:
        """Compress some of the crops.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 crops.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        for i, img in enumerate(results['img']):
            if rng.random() < self.prob[i]:
                quality = int(rng.integers(*self.quality, endpoint=True))
                data = cv2.imencode(
                    '.jpg', img, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
                results['img'][i] = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'quality={self.quality})')
