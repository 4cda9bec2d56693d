"""Pixels of more than 8 bits become 8 bits, without losing the contrast."""
from typing import Optional, Sequence, Tuple

import numpy as np

# What a thermal camera sees fills a small part of its 14 or 16 bits. Of the
# image that decides, a few dead or hot pixels count for nothing, and what
# becomes a little darker or brighter later still has levels of its own.
_PERCENTILES = (0.1, 99.9)
_MARGIN = 0.1
# One step of whole numbers never becomes more than one level: that would only
# show noise.
_MIN_SPAN = 255.


class ValueStretch:
    """One linear map from a clip's values to 0..255, the same for all frames.

    Images of uint8 are left as they are. For all others the range is either
    given or chosen once, by the first image that is not all of one value:
    from its percentiles 0.1 and 99.9, of all channels together, with 10 % of
    their distance added at both ends, but at least 255 steps of whole
    numbers.

    Args:
        value_range (Sequence[float], optional): The values that become 0 and
            255; what lies outside is cut off. Defaults to None: chosen.

    Attributes:
        value_range (tuple[float, float], optional): Given or chosen; None
            until then.
        stretched (tuple[float, float], optional): The same, once an image
            was mapped by it.

    Raises:
        ValueError: If the range is not two finite numbers, low and high.
    """

    def __init__(self,
                 value_range: Optional[Sequence[float]] = None) -> None:
        self.value_range = check_value_range(value_range)
        self.stretched: Optional[Tuple[float, float]] = None
        self._table: Optional[np.ndarray] = None

    def learn(self, image: np.ndarray) -> None:
        """Choose the range by this image, if it is not known yet.

        Args:
            image (np.ndarray): Any shape; uint8, or one value everywhere,
                decides nothing.
        """
        if self.value_range is None and image.dtype != np.uint8:
            self.value_range = _range_of(image)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Map an image; it chooses the range if none is known.

        Args:
            image (np.ndarray): Any shape, whole numbers or floats; nan
                becomes 0.

        Returns:
            np.ndarray: The same shape, uint8.
        """
        if image.dtype == np.uint8:
            return image
        self.learn(image)
        if self.value_range is None:
            return _flat(image)
        self.stretched = self.value_range
        if image.dtype != np.uint16:
            return _levels(image, *self.value_range)
        if self._table is None:
            self._table = _levels(
                np.arange(65536, dtype=np.uint16), *self.value_range)
        return self._table[image]


def check_value_range(
        value_range: Optional[Sequence[float]]
) -> Optional[Tuple[float, float]]:
    """Refuse what is no range.

    Args:
        value_range (Sequence[float], optional): Low and high.

    Returns:
        tuple[float, float] | None: The same.

    Raises:
        ValueError: If it is not two finite numbers, the first one smaller.
    """
    if value_range is None:
        return None
    try:
        low, high = (float(value) for value in value_range)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError('value_range must be two finite numbers, low < high, '
                         f'but got {value_range!r}')
    return low, high


def _range_of(image: np.ndarray) -> Optional[Tuple[float, float]]:
    values = image[np.isfinite(image)]
    if not values.size or values.min() == values.max():
        return None
    low, high = (float(v) for v in np.percentile(values, _PERCENTILES))
    if low == high:  # all but a few pixels have one value
        low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low)
    if image.dtype.kind in 'iu':
        margin = max(margin, (_MIN_SPAN - (high - low)) / 2)
    return low - margin, high + margin


def _levels(image: np.ndarray, low: float, high: float) -> np.ndarray:
    values = (image.astype(np.float64) - low) * (255 / (high - low))
    values = np.nan_to_num(values, nan=0., posinf=255., neginf=0.)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _flat(image: np.ndarray) -> np.ndarray:
    """An image of one value, whose type alone says how bright it is."""
    if image.dtype == np.uint16:
        return (image // 257).astype(np.uint8)
    return np.zeros(image.shape, np.uint8)
