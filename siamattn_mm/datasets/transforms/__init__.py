"""Transforms of frames and training pairs; each registers in mmtrack."""
from .load_frame import LoadFrame
from .pack_pair import PackSOTPair
from .pair_blur import PairBlur
from .pair_color_jitter import PairColorJitter
from .pair_gray import PairGray
from .siam_pair_crop import SiamPairCrop

__all__ = [
    'LoadFrame', 'PackSOTPair', 'PairBlur', 'PairColorJitter', 'PairGray',
    'SiamPairCrop'
]
