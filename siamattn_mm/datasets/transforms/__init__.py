"""Transforms of frames and training pairs; each registers in mmtrack."""
from .load_frame import LoadFrame
from .pack_pair import PackSOTPair
from .pair_blur import PairBlur
from .pair_color_jitter import PairColorJitter
from .pair_gray import PairGray
from .pair_jpeg import PairJPEG
from .pair_low_light import PairLowLight
from .pair_thermal import PairThermal
from .search_occluder import SearchOccluder
from .siam_pair_crop import SiamPairCrop
from .teacher_labels import TeacherLabels

__all__ = [
    'LoadFrame', 'PackSOTPair', 'PairBlur', 'PairColorJitter', 'PairGray',
    'PairJPEG', 'PairLowLight', 'PairThermal', 'SearchOccluder',
    'SiamPairCrop', 'TeacherLabels'
]
