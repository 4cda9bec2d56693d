from .anchor_generator import SiamAttnAnchorGenerator
from .sampler import SiamAttnSampler

__all__ = ['SiamAttnAnchorGenerator', 'SiamAttnSampler']
