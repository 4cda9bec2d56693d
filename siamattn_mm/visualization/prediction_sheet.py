"""Pictures of training pairs with what the model says about them."""
from typing import List, NamedTuple, Optional, Sequence

import cv2
import numpy as np
import torch
from mmdet.structures.bbox import bbox_overlaps

from .overlay import BOX_COLOR, MASK_COLOR
from .pair_sheet import draw_pair

PROPOSAL_COLOR = (255, 160, 60)
_GAP = 4


class PairPrediction(NamedTuple):
    """What a model says about one search crop.

    Attributes:
        score (float): Foreground probability of the best anchor, 0..1.
        proposal (np.ndarray): (4,) x1, y1, x2, y2 of that anchor's box, in
            crop pixels counted at pixel centres.
        box (np.ndarray, optional): (4,), the refined box, likewise.
        mask (np.ndarray, optional): (S, S) bool.
    """
    score: float
    proposal: np.ndarray
    box: Optional[np.ndarray] = None
    mask: Optional[np.ndarray] = None


def overlap(box: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes.

    Args:
        box (Sequence[float]): x1, y1, x2, y2.
        other (Sequence[float]): x1, y1, x2, y2.

    Returns:
        float: 0..1; 0 if both are empty.
    """
    return float(bbox_overlaps(*(torch.tensor(np.array([b], np.float32))
                                 for b in (box, other))))


def draw_predicted_pair(sample: dict,
                        prediction: PairPrediction) -> np.ndarray:
    """Draw a packed pair and, at its right, what the model makes of it.

    Args:
        sample (dict): As for :func:`.pair_sheet.draw_pair`.
        prediction (PairPrediction): Of its search crop.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR. The proposal is blue, the refined
        box orange, the mask magenta; the line above says the score and the
        overlaps of proposal and refined box with the truth.
    """
    left = draw_pair(sample)
    crop = sample['inputs']['search_img'][0].numpy().transpose(1, 2, 0)
    canvas = np.ascontiguousarray(crop)
    if prediction.mask is not None:
        canvas[prediction.mask] = (
            canvas[prediction.mask] // 2 + np.array(MASK_COLOR, np.uint8) // 2)
    _rectangle(canvas, prediction.proposal, PROPOSAL_COLOR)
    if prediction.box is not None:
        _rectangle(canvas, prediction.box, BOX_COLOR)
    panel = np.zeros((left.shape[0], canvas.shape[1] + _GAP, 3), np.uint8)
    top = left.shape[0] - max(sample['inputs']['img'].shape[-2],
                              canvas.shape[0])
    panel[top:top + canvas.shape[0], :canvas.shape[1]] = canvas
    truth = sample['data_samples'].search_gt_instances.bboxes[0].numpy()
    words = [f'score {prediction.score:.2f}']
    words += [
        f'{name} {overlap(box, truth):.2f}'
        for name, box in (('proposal', prediction.proposal),
                          ('refined', prediction.box)) if box is not None
    ]
    cv2.putText(panel, '  '.join(words), (2, 10), cv2.FONT_HERSHEY_SIMPLEX,
                0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([left, panel], axis=1)


def split_batch(batch: dict, count: int) -> List[dict]:
    """The first pairs of a training batch, one by one.

    Args:
        batch (dict): ``inputs`` and ``data_samples`` as a data loader gives
            them, on any device, uint8.
        count (int): At most so many.

    Returns:
        list[dict]: Each as a data set with ``PackSOTPair`` gives it.
    """
    samples = batch['data_samples'][:count]
    return [
        dict(
            inputs={
                name: crops[i].cpu()
                for name, crops in batch['inputs'].items()
            },
            data_samples=sample.cpu()) for i, sample in enumerate(samples)
    ]


def _rectangle(canvas: np.ndarray, box: np.ndarray, color: tuple) -> None:
    # Far outside, OpenCV's fixed-point numbers would overflow.
    x1, y1, x2, y2 = np.clip(np.rint(box), -9999, 9999).astype(int).tolist()
    cv2.rectangle(canvas, (x1, y1), (x2, y2), color, 1)
