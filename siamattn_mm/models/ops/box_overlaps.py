"""Overlaps of boxes, without waiting for a device."""
import torch
from torch import Tensor

# Of a union or hull: boxes without area overlap nothing.
EPS = 1e-6


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def box_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union, element by element.

    The numbers of ``mmdet.structures.bbox.bbox_overlaps``, which makes a
    tensor on the host at each call, and so waits for a GPU.

    Args:
        first (Tensor): (..., 4), xyxy.
        second (Tensor): (..., 4), xyxy, of a shape that broadcasts: (N, 1, 4)
            and (K, 4) give (N, K).

    Returns:
        Tensor: (...).
    """
    return _overlap(first, second)[0]


def box_giou(first: Tensor, second: Tensor) -> Tensor:
    """Generalized IoU (https://arxiv.org/abs/1902.09630), element by element.

    Args:
        first (Tensor): (..., 4), xyxy.
        second (Tensor): (..., 4), xyxy, of a shape that broadcasts.

    Returns:
        Tensor: (...), -1..1.
    """
    iou, union = _overlap(first, second)
    corner = torch.min(first[..., :2], second[..., :2])
    sides = (torch.max(first[..., 2:], second[..., 2:]) - corner).clamp(min=0)
    hull = (sides[..., 0] * sides[..., 1]).clamp(min=EPS)
    return iou - (hull - union) / hull


def _overlap(first: Tensor, second: Tensor) -> tuple:
    """IoU and union."""
    corner = torch.max(first[..., :2], second[..., :2])
    sides = (torch.min(first[..., 2:], second[..., 2:]) - corner).clamp(min=0)
    intersection = sides[..., 0] * sides[..., 1]
    union = _areas(first) + _areas(second) - intersection
    union = union.clamp(min=EPS)
    return intersection / union, union
