"""Reading the frames of test sequences."""
from typing import Optional, Tuple

from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS

from ..reading.image_reader import decode_image, decode_values, read_bytes
from ..reading.value_stretch import ValueStretch


@TRANSFORMS.register_module()
class LoadFrame(BaseTransform):
    """Read an image; of more than 8 bits, with the contrast that it has.

    mmcv's ``LoadImageFromFile`` divides 16 bits by 256, which leaves a few
    grey levels of a thermal camera's picture. Here one linear stretch serves
    all frames of a sequence, see
    :class:`~siamattn_mm.datasets.reading.value_stretch.ValueStretch`:
    ``value_range`` of the results, or chosen by the sequence's first frame.

    Required Keys: img_path, first_img_path (optional), value_range (optional)

    Added Keys: img, img_shape, ori_shape
    """

    def __init__(self) -> None:
        self._of: Optional[tuple] = None
        self._stretch = ValueStretch()

    def transform(self, results: dict) -> dict:
        """Read it.

        Args:
            results (dict): With the path, and that of the sequence's first
                image.

        Returns:
            dict: The same dict with ``img``, (H, W, 3) uint8, BGR.

        Raises:
            UnreadableFrameError: If it is no image.
        """
        path = results['img_path']
        data = read_bytes(path)
        stretch = self._stretch_of(
            results.get('first_img_path', path), results.get('value_range'))
        results['img'] = decode_image(data, path, stretch)
        results['img_shape'] = results['img'].shape[:2]
        results['ori_shape'] = results['img'].shape[:2]
        return results

    def _stretch_of(
            self, first_path: str,
            value_range: Optional[Tuple[float, float]]) -> ValueStretch:
        if self._of != (first_path, value_range):
            self._of = first_path, value_range
            self._stretch = ValueStretch(value_range)
            if value_range is None:
                self._stretch.learn(
                    decode_values(read_bytes(first_path), first_path))
        return self._stretch

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
