from .anchor_generator import SiamAttnAnchorGenerator
from .box_calibration import BoxCalibration
from .box_regressor import RidgeBoxRegressor
from .correlation_filter import CorrelationFilter, FilterState
from .distractors import DistractorAssociation
from .motion_prediction import MotionPrediction
from .online import OnlinePart, Outcome, View, build_parts
from .sampler import SiamAttnSampler
from .selection import Proposal, Ranking
from .target_presence import TargetPresence

__all__ = [
    'BoxCalibration', 'CorrelationFilter', 'DistractorAssociation',
    'FilterState', 'MotionPrediction', 'OnlinePart', 'Outcome', 'Proposal',
    'Ranking', 'RidgeBoxRegressor', 'SiamAttnAnchorGenerator',
    'SiamAttnSampler', 'TargetPresence', 'View', 'build_parts'
]
