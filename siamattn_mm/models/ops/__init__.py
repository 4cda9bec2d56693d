"""Deformable conv, RoI pooling, correlation: functions, thin modules."""
from .deform_conv import DeformConvPack, deform_conv2d
from .deform_psroi_pool import DeformPSRoIPooling, deform_psroi_pool
from .deform_roi_pool import DeformRoIPooling, deform_roi_pool
from .depthwise_corr import depthwise_corr

__all__ = [
    'DeformConvPack', 'deform_conv2d',
    'DeformPSRoIPooling', 'DeformRoIPooling', 'deform_psroi_pool',
    'deform_roi_pool', 'depthwise_corr'
]
