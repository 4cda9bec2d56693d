"""Deformable RoI pooling: one function and one module per kernel."""
from .deform_psroi_pool import DeformPSRoIPooling, deform_psroi_pool
from .deform_roi_pool import DeformRoIPooling, deform_roi_pool

__all__ = [
    'DeformPSRoIPooling', 'DeformRoIPooling', 'deform_psroi_pool',
    'deform_roi_pool'
]
