from .anchor_generator import SiamAttnAnchorGenerator
from .box_regressor import RegressorView, RidgeBoxRegressor
from .correlation_filter import CorrelationFilter, FilterState
from .rivals import RivalAssociation
from .sampler import SiamAttnSampler

__all__ = [
    'CorrelationFilter', 'FilterState', 'RegressorView', 'RidgeBoxRegressor',
    'RivalAssociation', 'SiamAttnAnchorGenerator',
    'SiamAttnSampler'
]
