"""Region similarity J of DAVIS: how well masks overlap."""
import numpy as np


def region_similarity(pred: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks.

    Args:
        pred (ndarray): (H, W) bool predicted mask.
        truth (ndarray): (H, W) bool ground truth.

    Returns:
        float: J of this frame; 1 if both are empty (as DAVIS has it).

    Raises:
        ValueError: If the masks have different sizes.
    """
    pred, truth = np.asarray(pred, dtype=bool), np.asarray(truth, dtype=bool)
    if pred.shape != truth.shape:
        raise ValueError(f'predicted mask of shape {pred.shape}, but the '
                         f'ground truth has {truth.shape}')
    union = np.count_nonzero(pred | truth)
    if union == 0:
        return 1.0
    return np.count_nonzero(pred & truth) / union


def mean_region_similarity(values: np.ndarray,
                           exclude_first: bool = True,
                           exclude_last: bool = True) -> float:
    """Mean J of one sequence.

    Args:
        values (ndarray): (N,) J of each frame, nan where the target is absent
            or nothing is annotated: such frames do not count.
        exclude_first (bool): Leave out the first frame, where the tracker is
            given the target. Defaults to True, as the official DAVIS
            evaluation.
        exclude_last (bool): Leave out the last frame. Defaults to True, as
            the official DAVIS evaluation.

    Returns:
        float: Mean J; nan if there is no frame to count.
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[int(exclude_first):len(values) - int(exclude_last)]
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float('nan')
