"""Random light and colour of the two crops of a pair."""
from typing import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS

# Principal components of colours over ImageNet, rows R, G, B, as SiamFC and
# its successors use them.
_RGB_COMPONENTS = np.array([[-0.55919361, 0.98062831, -0.41940627],
                            [1.72091413, 0.19879334, -1.82968581],
                            [4.64467907, 4.73710203, 4.88324118]])


@TRANSFORMS.register_module()
class PairColorJitter(BaseTransform):
    """Change brightness, contrast and colour of each crop by itself.

    All changes are one table of 256 levels a channel.

    Required Keys: rng, img

    Modified Keys: img

    Args:
        prob (Sequence[float]): Probability for template and search crop.
            Defaults to (1, 1).
        brightness (float): Largest change of all levels, 1 is the whole range
            of 255. Defaults to 0.1.
        contrast (float): Largest relative change of the contrast, around the
            crop's mean level. Defaults to 0.2.
        channel (float): Largest relative change of each channel by itself.
            Defaults to 0.05.
        pca (float): Standard deviation of the change along the principal
            components of ImageNet's colours. Defaults to 1.

    Raises:
        ValueError: If ``prob`` is not a pair.
    """

    def __init__(self,
                 prob: Sequence[float] = (1., 1.),
                 brightness: float = 0.1,
                 contrast: float = 0.2,
                 channel: float = 0.05,
                 pca: float = 1.) -> None:
        if len(prob) != 2:
            raise ValueError('prob needs two values, template and search, '
                             f'but got {prob}')
        self.prob = tuple(prob)
        self.brightness = brightness
        self.contrast = contrast
        self.channel = channel
        self.pca = pca

    def transform(self, results: dict) -> dict:
        """Change the colours of both crops.

        Args:
            results (dict): With ``rng`` and ``img``, a list of two
                (S, S, 3) uint8 BGR crops.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        for i, img in enumerate(results['img']):
            # Drawn in any case: what one crop draws must not depend on
            # whether the other is changed.
            table = self._draw_table(rng, sum(cv2.mean(img)[:3]) / 3)
            if rng.random() < self.prob[i]:
                results['img'][i] = cv2.LUT(img, table)
        return results

    def _draw_table(self, rng: np.random.Generator,
                    mean: float) -> np.ndarray:
        """(1, 256, 3) uint8: the new level of each level and channel."""
        brightness, contrast, *channel = rng.uniform(-1, 1, 5)
        offset = _RGB_COMPONENTS.dot(
            rng.standard_normal(3) * self.pca)[::-1]  # to BGR
        offset = offset + 255 * self.brightness * brightness
        gain = 1 + self.channel * np.array(channel)
        levels = (np.arange(256.) - mean) * (1 + self.contrast * contrast)
        table = (levels[:, None] + mean) * gain + offset
        return table.round().clip(0, 255).astype(np.uint8)[None]

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(prob={self.prob}, '
                f'brightness={self.brightness}, contrast={self.contrast}, '
                f'channel={self.channel}, pca={self.pca})')
