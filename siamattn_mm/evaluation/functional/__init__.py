"""Metrics as pure functions on arrays."""
from .boundary import boundary_measure
from .davis import evaluate_object
from .ope import (
    average_overlap,
    box_iou,
    box_iou_inside,
    center_error,
    evaluate_ope,
    normalised_center_error,
    precision_curve,
    success_curve,
    success_rate,
)
from .region_similarity import mean_region_similarity, region_similarity
from .vot import (
    EAO_INTERVALS,
    SupervisedRun,
    evaluate_supervised,
    expected_average_overlap,
    expected_overlap_curve,
)
from .vot_overlap import region_overlap, region_overlaps

__all__ = [
    'EAO_INTERVALS', 'SupervisedRun', 'average_overlap',
    'boundary_measure', 'box_iou', 'box_iou_inside', 'center_error',
    'evaluate_object', 'evaluate_ope', 'evaluate_supervised',
    'expected_average_overlap', 'expected_overlap_curve',
    'mean_region_similarity', 'normalised_center_error', 'precision_curve',
    'region_overlap', 'region_overlaps', 'region_similarity',
    'success_curve', 'success_rate'
]
