"""One-pass evaluation (OPE) of one sequence, on arrays.

All boxes are (N, 4) x, y, w, h in pixels, row i belongs to frame i. A frame
whose ground truth has a nan in it or no area (target absent) counts nowhere:
neither in a numerator nor in a denominator. A prediction with a nan in it is
a miss.
All figures are fractions from 0 to 1; over a data set, take the mean over the
sequences.

mmtrack's ``eval_sot_ope`` computes the same success and precision for
sequences whose target is always visible; with absent frames it divides by all
frames, and it takes a target whose centre has a negative or zero coordinate
as not annotated.
"""
from typing import Dict, Optional, Tuple

import numpy as np

# OTB: 21 thresholds of the IoU, 51 of the centre error in pixels.
SUCCESS_THRESHOLDS = np.arange(21) / 20
PRECISION_THRESHOLDS = np.arange(51)
# TrackingNet, LaSOT: 51 of the centre error in widths and heights.
NORM_PRECISION_THRESHOLDS = np.arange(51) / 100


def box_iou(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union, frame by frame.

    Args:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.

    Returns:
        ndarray: (N,) IoU; nan where the target is absent, 0 where the
        prediction is nan or has no area.

    Raises:
        ValueError: If the two are not (N, 4) with the same N.
    """
    pred, truth = _check(pred, truth)
    pred = np.where(np.isfinite(pred).all(axis=1, keepdims=True), pred, 0)
    near = np.maximum(pred[:, :2], truth[:, :2])
    far = np.minimum(pred[:, :2] + pred[:, 2:], truth[:, :2] + truth[:, 2:])
    inter = np.clip(far - near, 0, None).prod(axis=1)
    union = (
        np.clip(pred[:, 2:], 0, None).prod(axis=1) +
        truth[:, 2:].prod(axis=1) - inter)
    # Of equal boxes, rounding could make it more than 1.
    return np.minimum(inter / union, 1)


def box_iou_inside(pred: np.ndarray, truth: np.ndarray,
                   image_size: Tuple[int, int]) -> np.ndarray:
    """Intersection over union of what GOT-10k takes as inside the image.

    As got10k's toolkit and server: the corner is moved into the image with
    the box keeping its size, then the size is cut at the far edges.

    Args:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.
        image_size (tuple[int, int]): Width and height of the frames.

    Returns:
        ndarray: (N,) IoU; nan where the target is absent, 0 where the
        prediction is nan, or one of the two is wholly outside.

    Raises:
        ValueError: If the two are not (N, 4) with the same N.
    """
    pred, truth = _check(pred, truth)
    iou = box_iou(_moved_inside(pred, image_size),
                  _moved_inside(truth, image_size))
    # A target outside of the image is there all the same.
    iou[np.isnan(iou) & ~np.isnan(truth[:, 0])] = 0
    return iou


def center_error(pred: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance between the centres, frame by frame.

    Args:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.

    Returns:
        ndarray: (N,) pixels; nan where the target is absent, inf where the
        prediction is nan.

    Raises:
        ValueError: If the two are not (N, 4) with the same N.
    """
    pred, truth = _check(pred, truth)
    return _distance(pred, truth, np.ones_like(truth[:, 2:]))


def normalised_center_error(pred: np.ndarray,
                            truth: np.ndarray) -> np.ndarray:
    """Distance between the centres in ground truth widths and heights.

    The x distance is divided by the true width and the y distance by the
    true height, as TrackingNet (ECCV 2018) defines it.

    Args:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.

    Returns:
        ndarray: (N,) without unit; nan where the target is absent, inf where
        the prediction is nan.

    Raises:
        ValueError: If the two are not (N, 4) with the same N.
    """
    pred, truth = _check(pred, truth)
    return _distance(pred, truth, truth[:, 2:])


def success_curve(iou: np.ndarray,
                  thresholds: np.ndarray = SUCCESS_THRESHOLDS) -> np.ndarray:
    """Share of the frames whose IoU is *above* each threshold (OTB).

    Its mean is the success AUC.

    Args:
        iou (ndarray): (N,) from :func:`box_iou`.
        thresholds (ndarray): (T,) thresholds. Defaults to 0, 0.05, ..., 1.

    Returns:
        ndarray: (T,) shares; nan if the target is absent throughout.
    """
    return _mean(_present(iou)[:, None] > thresholds)


def precision_curve(
        error: np.ndarray,
        thresholds: np.ndarray = PRECISION_THRESHOLDS) -> np.ndarray:
    """Share of the frames whose error is *at most* each threshold (OTB).

    Args:
        error (ndarray): (N,) from :func:`center_error` or
            :func:`normalised_center_error`.
        thresholds (ndarray): (T,) thresholds. Defaults to 0, 1, ..., 50.

    Returns:
        ndarray: (T,) shares; nan if the target is absent throughout.
    """
    return _mean(_present(error)[:, None] <= thresholds)


def average_overlap(iou: np.ndarray) -> float:
    """Mean IoU without the first frame (AO of GOT-10k).

    Args:
        iou (ndarray): (N,) from :func:`box_iou`.

    Returns:
        float: AO; nan if there is no frame to count.
    """
    return float(_mean(_present(iou[1:])))


def success_rate(iou: np.ndarray, threshold: float) -> float:
    """Share of the frames above one IoU, without the first (SR of GOT-10k).

    Args:
        iou (ndarray): (N,) from :func:`box_iou`.
        threshold (float): GOT-10k reports 0.5 and 0.75.

    Returns:
        float: SR; nan if there is no frame to count.
    """
    return float(_mean(_present(iou[1:]) > threshold))


def evaluate_ope(pred: np.ndarray,
                 truth: np.ndarray,
                 absent_frames: str = 'skip',
                 image_size: Optional[Tuple[int, int]] = None
                 ) -> Dict[str, float]:
    """All figures of one sequence.

    The first frame, where the tracker is given its box, counts in success and
    in both precisions (OTB, LaSOT), and not in AO and SR (GOT-10k).

    Args:
        pred (ndarray): (N, 4) predicted x, y, w, h.
        truth (ndarray): (N, 4) ground truth, nan where the target is absent.
        absent_frames (str): ``'skip'``: they count nowhere (LaSOT, GOT-10k,
            got10k's toolkit for all sets). ``'otb'``: as in the toolkits of
            OTB and UAV123, which set overlap and distance to -1 where one of
            the four numbers is not positive, they are misses in success and
            hits in both precisions; AO and SR skip them.
            Defaults to 'skip'.
        image_size (tuple[int, int], optional): Width and height of the
            frames: AO and SR are of :func:`box_iou_inside`, as got10k's
            toolkit has them. Defaults to None: of whole boxes.

    Returns:
        dict[str, float]: Fractions from 0 to 1.

        - ``success``: AUC of the success curve over 0..1.
        - ``norm_precision``: AUC of the precision curve of the normalised
          error over 0..0.5, as TrackingNet's server reports it.
        - ``norm_precision_20``: The same curve at 0.2, as mmtrack and pysot
          report it.
        - ``precision``: The precision curve at 20 pixels.
        - ``AO``, ``SR0.5``, ``SR0.75``: As GOT-10k defines them; over a
          data set, its toolkit takes the mean over the frames of all
          sequences.

    Raises:
        ValueError: If the two are not (N, 4) with the same N, or if
            ``absent_frames`` is something else.
    """
    share, hits = 1., 0.
    if absent_frames == 'otb':
        truth = np.asarray(truth, dtype=np.float64)
        # A comparison with nan is False.
        annotated = (truth > 0).all(axis=-1)
        share = float(annotated.mean())
        hits = 1 - share
        ope_truth = np.where(annotated[:, None], truth, np.nan)
    elif absent_frames == 'skip':
        ope_truth = truth
    else:
        raise ValueError(f'absent_frames={absent_frames!r}: expected \'skip\' '
                         'or \'otb\'')
    success = success_curve(box_iou(pred, ope_truth)) * share
    norm_precision = precision_curve(
        normalised_center_error(pred, ope_truth),
        NORM_PRECISION_THRESHOLDS) * share + hits
    precision = precision_curve(
        center_error(pred, ope_truth)) * share + hits
    if image_size is None:
        iou = box_iou(pred, truth)
    else:
        iou = box_iou_inside(pred, truth, image_size)
    return {
        'success': float(success.mean()),
        'norm_precision': float(norm_precision.mean()),
        'norm_precision_20': float(norm_precision[20]),
        'precision': float(precision[20]),
        'AO': average_overlap(iou),
        'SR0.5': success_rate(iou, 0.5),
        'SR0.75': success_rate(iou, 0.75),
    }


def _moved_inside(boxes: np.ndarray,
                  image_size: Tuple[int, int]) -> np.ndarray:
    corner = np.clip(boxes[:, :2], 0, image_size)
    size = np.clip(boxes[:, 2:], 0, image_size - corner)
    return np.concatenate([corner, size], axis=1)


def _check(pred: np.ndarray, truth: np.ndarray) -> tuple:
    pred, truth = np.asarray(pred), np.asarray(truth)
    if pred.shape != truth.shape or pred.ndim != 2 or pred.shape[1] != 4:
        raise ValueError(
            'predicted and true boxes must both be (N, 4), but they are '
            f'{pred.shape} and {truth.shape}')
    truth = truth.astype(np.float64)
    has_area = (truth[:, 2] > 0) & (truth[:, 3] > 0)
    truth[np.isnan(truth).any(axis=1) | ~has_area] = np.nan
    return pred.astype(np.float64), truth


def _distance(pred: np.ndarray, truth: np.ndarray,
              unit: np.ndarray) -> np.ndarray:
    offset = (pred[:, :2] + pred[:, 2:] / 2) - (truth[:, :2] +
                                                truth[:, 2:] / 2)
    error = np.hypot(*(offset / unit).T)
    missed = ~np.isfinite(pred).all(axis=1) & ~np.isnan(truth[:, 0])
    error[missed] = np.inf
    return error


def _present(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _mean(values: np.ndarray) -> np.ndarray:
    # numpy warns about the mean of nothing; here it has a meaning.
    if len(values) == 0:
        return np.full(values.shape[1:], np.nan)
    return values.mean(axis=0)
