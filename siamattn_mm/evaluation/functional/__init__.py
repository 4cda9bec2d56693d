"""Metrics as pure functions on arrays."""
from .ope import (
    average_overlap,
    box_iou,
    center_error,
    evaluate_ope,
    normalised_center_error,
    precision_curve,
    success_curve,
    success_rate,
)
from .region_similarity import mean_region_similarity, region_similarity

__all__ = [
    'average_overlap', 'box_iou', 'center_error', 'evaluate_ope',
    'mean_region_similarity', 'normalised_center_error', 'precision_curve',
    'region_similarity', 'success_curve', 'success_rate'
]
