"""Deformable conv and RoI pooling: functions, and thin modules."""
from .deform_conv import DeformConvPack, deform_conv2d
from .deform_psroi_pool import DeformPSRoIPooling, deform_psroi_pool
from .deform_roi_pool import DeformRoIPooling, deform_roi_pool

__all__ = [
    'DeformConvPack', 'deform_conv2d',
    'DeformPSRoIPooling', 'DeformRoIPooling', 'deform_psroi_pool',
    'deform_roi_pool'
]
