"""Boundary measure F of DAVIS: how well the outlines of masks fit."""
import math

import cv2
import numpy as np

# Of the image's diagonal, DAVIS's tolerance between two outlines.
TOLERANCE = 0.008


def boundary_measure(pred: np.ndarray,
                     truth: np.ndarray,
                     tolerance: float = TOLERANCE) -> float:
    """F of two masks: precision and recall of their outlines.

    A pixel of an outline is matched if a pixel of the other outline is within
    the tolerance (a disk). Source: Perazzi et al., *A Benchmark Dataset and
    Evaluation Methodology for Video Object Segmentation*, CVPR 2016, in the
    approximation by dilation that the official evaluation uses.

    Args:
        pred (ndarray): (H, W) bool predicted mask.
        truth (ndarray): (H, W) bool ground truth.
        tolerance (float): As a share of the image's diagonal; rounded up to
            whole pixels. Defaults to 0.008.

    Returns:
        float: Harmonic mean of precision and recall, 0 to 1; 1 if neither
        mask has an outline, 0 if only one has.

    Raises:
        ValueError: If the masks have different sizes.
    """
    pred, truth = np.asarray(pred, dtype=bool), np.asarray(truth, dtype=bool)
    if pred.shape != truth.shape:
        raise ValueError(f'predicted mask of shape {pred.shape}, but the '
                         f'ground truth has {truth.shape}')
    radius = math.ceil(tolerance * math.hypot(*pred.shape))
    pred_outline, truth_outline = outline(pred), outline(truth)
    num_pred = np.count_nonzero(pred_outline)
    num_truth = np.count_nonzero(truth_outline)
    if num_pred == 0 or num_truth == 0:
        return float(num_pred == num_truth)
    precision = np.count_nonzero(
        pred_outline & _dilate(truth_outline, radius)) / num_pred
    recall = np.count_nonzero(
        truth_outline & _dilate(pred_outline, radius)) / num_truth
    if precision + recall == 0:
        return 0.
    return 2 * precision * recall / (precision + recall)


def outline(mask: np.ndarray) -> np.ndarray:
    """Pixels that differ from the one to the right, below, or both.

    Args:
        mask (ndarray): (H, W) bool.

    Returns:
        ndarray: (H, W) bool, one pixel wide; the image's edge is no outline.
    """
    # Repeating the last row and column makes them no difference.
    padded = np.pad(mask, ((0, 1), (0, 1)), mode='edge')
    return ((mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) |
            (mask != padded[1:, 1:]))


def _dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    offset = np.arange(-radius, radius + 1)
    disk = offset[:, None]**2 + offset**2 <= radius**2
    return cv2.dilate(mask.astype(np.uint8), disk.astype(np.uint8)) > 0
