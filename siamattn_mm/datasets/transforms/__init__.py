"""Transforms of training pairs; each registers itself in mmtrack."""
from .pack_pair import PackSOTPair
from .pair_blur import PairBlur
from .pair_color_jitter import PairColorJitter
from .pair_gray import PairGray
from .siam_pair_crop import SiamPairCrop

__all__ = [
    'PackSOTPair', 'PairBlur', 'PairColorJitter', 'PairGray', 'SiamPairCrop'
]
