"""Anchors of the Siamese RPN."""
from typing import Optional, Tuple, Union

import numpy as np
import torch
from mmtrack.models.task_modules import SiameseRPNAnchorGenerator
from mmtrack.registry import TASK_UTILS
from torch import Tensor


@TASK_UTILS.register_module()
class SiamAttnAnchorGenerator(SiameseRPNAnchorGenerator):
    """Anchors as SiamRPN++ and SiamAttn were trained with.

    For a ratio r: ``w = int(sqrt(stride^2 / r))``, ``h = int(w * r)``, both
    times the scale. mmtrack's generator truncates the height by itself, not
    from the truncated width, and so gets other heights (stride 8: 11 and 13
    for the ratios 2 and 3, where these are 10 and 12).
    """

    def gen_single_level_base_anchors(
            self,
            base_size: Union[int, float],
            scales: Tensor,
            ratios: Tensor,
            center: Optional[Tuple[float]] = None) -> Tensor:
        """Anchors at one location.

        Args:
            base_size (int | float): The stride, in pixels.
            scales (Tensor): (S,).
            ratios (Tensor): (R,), height over width.
            center (tuple[float], optional): x, y of the location.
                Defaults to None, the origin.

        Returns:
            Tensor: (R * S, 4), xyxy in pixels, ratio-major.
        """
        # float64: r = 0.33 as float32 must not change the truncation.
        ratio = np.repeat(ratios.double().numpy().round(6), len(scales))
        scale = np.tile(scales.double().numpy(), len(ratios))
        w = np.trunc(np.sqrt(base_size * base_size / ratio))
        h = np.trunc(w * ratio)
        half = 0.5 * np.stack([w, h], axis=1) * scale[:, None]
        origin = np.zeros(2) if center is None else np.asarray(center)
        anchors = np.concatenate([origin - half, origin + half], axis=1)
        return torch.from_numpy(anchors).float()
