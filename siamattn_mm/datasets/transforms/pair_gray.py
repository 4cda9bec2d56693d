"""Pairs without colour."""
import cv2
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PairGray(BaseTransform):
    """Turn both crops of some pairs grey.

    Both or none: videos are in colour or are not.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (float): Probability for a pair. Defaults to 0.25.
    """

    def __init__(self, prob: float = 0.25) -> None:
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Turn both crops grey, or none.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 BGR crops.

        Returns:
            dict: The same dict.
        """
        if results['rng'].random() < self.prob:
            results['img'] = [
                cv2.cvtColor(
                    cv2.cvtColor(img, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
                for img in results['img']
            ]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'
