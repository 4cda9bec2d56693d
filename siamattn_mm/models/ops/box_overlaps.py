"""Overlaps of boxes, without waiting for a device."""
from typing import Sequence, Tuple

import torch
from torch import Tensor

# Of a union or hull: boxes without area overlap nothing.
EPS = 1e-6


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
    return corner_iou(first.unbind(-1), second.unbind(-1))


def corner_iou(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Intersection over union of boxes whose coordinates lie apart.

    Coordinate by coordinate is several times as fast as on pairs of them.

    Args:
        first (Sequence[Tensor]): x1, y1, x2, y2, (...) each.
        second (Sequence[Tensor]): The same, of shapes that broadcast.

    Returns:
        Tensor: (...).
    """
    intersection, union = _areas(first, second)
    if intersection.requires_grad:
        return intersection / union
    return intersection.div_(union)


def spent_centre_iou(first: Sequence[Tensor],
                     second: Sequence[Tensor]) -> Tensor:
    """Intersection over union of boxes that nobody needs any more.

    Their memory is used for what comes between: fresh memory for hundreds of
    thousands of boxes takes longer than the sums.

    Args:
        first (Sequence[Tensor]): cx, cy, w, h, (...) each, without gradients;
            all of them are overwritten.
        second (Sequence[Tensor]): x1, y1, x2, y2, of shapes that broadcast
            to these.

    Returns:
        Tensor: (...).
    """
    cx, cy, w, h = first
    left, top, right, bottom = second
    width = _spent_overlap(cx, w, left, right)
    height = _spent_overlap(cy, h, top, bottom)
    intersection = width.mul_(height)
    union = w.mul_(h).add_((right - left) *
                           (bottom - top)).sub_(intersection)
    return intersection.div_(union.clamp_(min=EPS))


def _spent_overlap(centre: Tensor, size: Tensor, low: Tensor,
                   high: Tensor) -> Tensor:
    """Length that intervals share; overwrites ``centre``."""
    end = centre.add(size, alpha=0.5).clamp_(max=high)
    start = centre.sub_(size, alpha=0.5).clamp_(min=low)
    return end.sub_(start).clamp_(min=0)


def box_giou(first: Tensor, second: Tensor) -> Tensor:
    """Generalized IoU (https://arxiv.org/abs/1902.09630), element by element.

    Args:
        first (Tensor): (..., 4), xyxy.
        second (Tensor): (..., 4), xyxy, of a shape that broadcasts.

    Returns:
        Tensor: (...), -1..1.
    """
    x1, y1, x2, y2 = first.unbind(-1)
    left, top, right, bottom = second.unbind(-1)
    intersection, union = _areas((x1, y1, x2, y2), (left, top, right, bottom))
    iou = intersection / union
    width = torch.max(x2, right) - torch.min(x1, left)
    height = torch.max(y2, bottom) - torch.min(y1, top)
    hull = (width.clamp(min=0) * height.clamp(min=0)).clamp(min=EPS)
    return iou - (hull - union) / hull


def _areas(first: Sequence[Tensor],
           second: Sequence[Tensor]) -> Tuple[Tensor, Tensor]:
    """Areas of intersection and union, the latter above 0."""
    x1, y1, x2, y2 = first
    left, top, right, bottom = second
    # In place: fresh memory for millions of boxes takes longer than the sums.
    width = torch.min(x2, right).sub_(torch.max(x1, left)).clamp_(min=0)
    height = torch.min(y2, bottom).sub_(torch.max(y1, top)).clamp_(min=0)
    intersection = width.mul_(height)
    areas = (x2 - x1).mul_(y2 - y1) + (right - left) * (bottom - top)
    union = areas.sub_(intersection).clamp_(min=EPS)
    return intersection, union
