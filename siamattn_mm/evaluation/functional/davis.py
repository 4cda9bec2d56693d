"""Figures of DAVIS: J (region), F (boundary) and their statistics.

Source: Perazzi et al., *A Benchmark Dataset and Evaluation Methodology for
Video Object Segmentation*, CVPR 2016.
"""
from typing import Dict

import numpy as np

from .boundary import boundary_measure
from .region_similarity import region_similarity

__all__ = [
    'boundary_measure', 'evaluate_object', 'region_similarity', 'summarise'
]

RECALL_THRESHOLD = 0.5
_NUM_BINS = 4


def summarise(values: np.ndarray) -> Dict[str, float]:
    """Statistics of one object's J or F over time.

    Args:
        values (ndarray): (N,) one value a frame, without those that do not
            count (DAVIS leaves out the first and the last); nan where nothing
            is annotated.

    Returns:
        dict[str, float]: ``mean``; ``recall``, the share of frames above 0.5;
        ``decay``, the mean of the first quarter minus that of the last one.
        nan where there is no frame to count.
    """
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return dict.fromkeys(('mean', 'recall', 'decay'), float('nan'))
    # The quarters share the frame between them, as in the official code.
    edges = np.round(
        np.linspace(1, len(values), _NUM_BINS + 1) + 1e-10).astype(int) - 1
    first = _mean(values[edges[0]:edges[1] + 1])
    last = _mean(values[edges[-2]:edges[-1] + 1])
    return dict(
        mean=float(known.mean()),
        recall=float((known > RECALL_THRESHOLD).mean()),
        decay=first - last)


def evaluate_object(region: np.ndarray,
                    boundary: np.ndarray) -> Dict[str, float]:
    """All figures of one object in one sequence.

    Args:
        region (ndarray): (N,) J of each frame, see :func:`summarise`.
        boundary (ndarray): (N,) F of each frame.

    Returns:
        dict[str, float]: ``J&F``, the mean of both means; ``J_mean``,
        ``J_recall``, ``J_decay``; ``F_mean``, ``F_recall``, ``F_decay``.
    """
    scores = {
        f'{name}_{key}': value
        for name, values in (('J', region), ('F', boundary))
        for key, value in summarise(values).items()
    }
    return {'J&F': (scores['J_mean'] + scores['F_mean']) / 2, **scores}


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float('nan')
