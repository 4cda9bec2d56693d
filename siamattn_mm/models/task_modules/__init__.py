from .anchor_generator import SiamAttnAnchorGenerator
from .correlation_filter import CorrelationFilter, FilterState
from .sampler import SiamAttnSampler

__all__ = [
    'CorrelationFilter', 'FilterState', 'SiamAttnAnchorGenerator',
    'SiamAttnSampler'
]
