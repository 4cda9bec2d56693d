"""Template and search crop of a training pair."""
from typing import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS

from .crop_geometry import crop_matrix, warp_bbox, warp_image, warp_mask


@TRANSFORMS.register_module()
class SiamPairCrop(BaseTransform):
    """Cut template and search crop out of two frames, masks included.

    Shift, scale, turn and mirroring are one map, and one interpolation, from
    the image to the crop, instead of a 511 pixel crop that is cropped again.

    Required Keys: rng, img, gt_bboxes (x, y, w, h in the image), gt_masks

    Modified Keys: img, gt_bboxes (x1, y1, x2, y2 in the crop), gt_masks

    Added Keys: flip

    Each of ``img``, ``gt_bboxes`` and ``gt_masks`` is a list of two, template
    and search: (H, W, 3) uint8, (1, 4) float32, and (H, W) uint8 or None.

    Args:
        crop_size (Sequence[int]): Side of template and search crop. Defaults
            to (127, 255).
        shift (Sequence[float]): Largest shift of the target out of the
            middle, in crop pixels. Defaults to (4, 64).
        scale (Sequence[float]): Largest relative change of the crop's side,
            in x and y independently. Defaults to (0.05, 0.18).
        rotation (Sequence[float]): Largest turn in degrees. The box of an
            object whose mask is known is its mask's; other boxes grow when
            they turn. Defaults to (0, 0).
        rotate_boxes (bool): Whether objects without a mask turn, too.
            Defaults to True.
        zoom (Sequence[float]): Largest factor by which the crop's side grows
            or shrinks, the same in x and y, on top of ``scale``; small and
            large ones are equally likely. Defaults to (1, 1).
        flip_prob (float): Probability that both crops are mirrored. Defaults
            to 0.
        context_amount (float): Context around the target, see
            :func:`~.crop_geometry.context_size`. Defaults to 0.5.

    Raises:
        ValueError: If an argument is not a pair, or out of range.
    """

    def __init__(self,
                 crop_size: Sequence[int] = (127, 255),
                 shift: Sequence[float] = (4, 64),
                 scale: Sequence[float] = (0.05, 0.18),
                 rotation: Sequence[float] = (0, 0),
                 rotate_boxes: bool = True,
                 zoom: Sequence[float] = (1, 1),
                 flip_prob: float = 0.,
                 context_amount: float = 0.5) -> None:
        for name, value in (('crop_size', crop_size), ('shift', shift),
                            ('scale', scale), ('rotation', rotation),
                            ('zoom', zoom)):
            if len(value) != 2:
                raise ValueError(f'{name} needs two values, template and '
                                 f'search, but got {value}')
        if not all(0 <= s < 1 for s in scale):
            raise ValueError(f'scale must be in [0, 1), but got {scale}')
        if not all(z >= 1 for z in zoom):
            raise ValueError(f'zoom must be 1 or more, but got {zoom}')
        if not 0 <= flip_prob <= 1:
            raise ValueError(
                f'flip_prob must be in [0, 1], but got {flip_prob}')
        self.crop_size = tuple(crop_size)
        self.shift = tuple(shift)
        self.scale = tuple(scale)
        self.rotation = tuple(rotation)
        self.rotate_boxes = rotate_boxes
        self.zoom = tuple(zoom)
        self.flip_prob = flip_prob
        self.context_amount = context_amount

    def transform(self, results: dict) -> dict:
        """Crop both frames.

        Args:
            results (dict): A pair, see the class.

        Returns:
            dict: The same dict.
        """
        rng = results['rng']
        # One coin for both: an object and its mirror image are two things.
        results['flip'] = flip = bool(rng.random() < self.flip_prob)
        for i, crop_size in enumerate(self.crop_size):
            bbox = results['gt_bboxes'][i][0]
            mask = results['gt_masks'][i]
            turns = self.rotation[i] > 0 and (
                self.rotate_boxes or mask is not None)
            matrix = self._draw_matrix(rng, bbox, i, flip, turns)
            results['img'][i] = warp_image(results['img'][i], matrix,
                                           crop_size)
            results['gt_bboxes'][i] = warp_bbox(bbox, matrix, crop_size)[None]
            if mask is not None:
                results['gt_masks'][i] = warp_mask(mask, matrix, crop_size)
                if turns:
                    _fit_to_mask(results['gt_bboxes'][i],
                                 results['gt_masks'][i])
        return results

    def _draw_matrix(self, rng: np.random.Generator, bbox: np.ndarray,
                     branch: int, flip: bool, turns: bool) -> np.ndarray:
        shift_x, shift_y, scale_x, scale_y, turn = rng.uniform(-1, 1, 5)
        zoom = self.zoom[branch]
        if zoom > 1:
            zoom **= rng.uniform(-1, 1)
        return crop_matrix(
            bbox,
            crop_size=self.crop_size[branch],
            exemplar_size=self.crop_size[0],
            context_amount=self.context_amount,
            shift=(self.shift[branch] * shift_x,
                   self.shift[branch] * shift_y),
            scale=(zoom * (1 + self.scale[branch] * scale_x),
                   zoom * (1 + self.scale[branch] * scale_y)),
            angle=self.rotation[branch] * turn if turns else 0.,
            flip=flip)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(crop_size={self.crop_size}, '
                f'shift={self.shift}, scale={self.scale}, '
                f'rotation={self.rotation}, '
                f'rotate_boxes={self.rotate_boxes}, zoom={self.zoom}, '
                f'flip_prob={self.flip_prob}, '
                f'context_amount={self.context_amount})')


def _fit_to_mask(bbox: np.ndarray, mask: np.ndarray) -> None:
    """Let a turned box, (1, 4) xyxy, enclose its mask, if one is left."""
    columns, rows = (np.flatnonzero(mask.any(axis)) for axis in (0, 1))
    if len(columns):
        bbox[0] = (columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5,
                   rows[-1] + 0.5)
