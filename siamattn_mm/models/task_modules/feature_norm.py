"""Feature maps of different levels, made comparable."""
from torch import Tensor

from ..ops.full_precision import full_precision

EPS = 1e-6


def centred(feat: Tensor) -> Tensor:
    """Take the mean from each channel, and divide by the map's energy.

    Args:
        feat (Tensor): (N, C, H, W).

    Returns:
        Tensor: (N, C, H, W) float32; the squares of each image, summed over
        the channels, have a mean of 1.
    """
    # Under autocast these sums would be too coarse.
    with full_precision(feat.device):
        feat = feat.float()
        feat = feat - feat.mean((2, 3), keepdim=True)
        energy = (feat * feat).sum(
            (1, 2, 3), keepdim=True) / (feat.shape[-1] * feat.shape[-2])
        return feat / (energy.sqrt() + EPS)
