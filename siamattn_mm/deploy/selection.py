"""From RPN maps to the best proposal, in torch."""
from typing import NamedTuple, Optional, Tuple

import torch
from torch import Tensor

from siamattn_mm.models.heads import SiamAttnRPNHead
from siamattn_mm.models.heads.siamese_rpn_head import AVOID_IOU, MAX_LOG


class SelectedProposal(NamedTuple):
    """The best anchor's prediction in one search crop.

    Attributes:
        bbox (Tensor): (4,), cxcywh in crop pixels, relative to the crop's
            centre.
        score (Tensor): (1,), foreground probability, 0..1.
        penalty (Tensor): (1,), of its change in size and aspect, 0..1.
        best (Tensor): (1,) int64, index of the anchor.
        boxes (Tensor): (4, K) of all anchors, like ``bbox``.
        ranked (Tensor): (K,) of all anchors, the score times the penalty.
    """
    bbox: Tensor
    score: Tensor
    penalty: Tensor
    best: Tensor
    boxes: Tensor
    ranked: Tensor


def _padded_size(w: Tensor, h: Tensor) -> Tensor:
    pad = 0.5 * (w + h)
    return torch.sqrt((w + pad) * (h + pad))


def _change(ratio: Tensor) -> Tensor:
    return torch.maximum(ratio, 1. / ratio)


def select_proposal(
        head: SiamAttnRPNHead,
        cls_score: Tensor,
        bbox_pred: Tensor,
        target_size: Tensor,
        penalty_k: Tensor,
        window_influence: Tensor,
        response: Optional[Tensor] = None,
        filter_influence: Optional[Tensor] = None,
        bias: Optional[Tensor] = None,
        avoid: Optional[Tensor] = None) -> SelectedProposal:
    """``SiamAttnRPNHead.select_proposal`` as tensor operations.

    The tracker's own does it in numpy and double precision, which no graph
    can hold.

    Args:
        head (SiamAttnRPNHead): For its anchors and its window.
        cls_score (Tensor): (1, 2 * A, H, W) logits.
        bbox_pred (Tensor): (1, 4 * A, H, W) deltas.
        target_size (Tensor): (2,), width and height of the target in the last
            frame, in crop pixels.
        penalty_k (Tensor): Scalar, as in ``test_cfg.rpn``.
        window_influence (Tensor): Scalar, as in ``test_cfg.rpn``.
        response (Tensor, optional): (H, W), of a correlation filter.
        filter_influence (Tensor, optional): Scalar, as in ``test_cfg.rpn``;
            goes with ``response``.
        bias (Tensor, optional): (4,), taken from all boxes.
        avoid (Tensor, optional): (M, 4), cxcywh in crop pixels from the
            crop's middle, not to be proposed; zeros for none.

    Returns:
        SelectedProposal: See there.
    """
    size = tuple(int(side) for side in cls_score.shape[-2:])
    anchors, window = (
        torch.from_numpy(values).to(cls_score) for values in head._grid(size))
    logits = cls_score.reshape(2, -1)
    score = torch.sigmoid(logits[1] - logits[0])
    deltas = bbox_pred.reshape(4, -1)
    centres = deltas[:2] * anchors[2:] + anchors[:2]
    sizes = deltas[2:].clamp(-MAX_LOG, MAX_LOG).exp() * anchors[2:]
    if bias is not None:
        sizes = sizes * torch.exp(-bias[2:, None])
        centres = centres - bias[:2, None] * sizes
    w, h = sizes

    scale_change = _change(_padded_size(w, h) / _padded_size(*target_size))
    ratio_change = _change((target_size[0] / target_size[1]) / (w / h))
    penalty = torch.exp(-penalty_k * (ratio_change * scale_change - 1))
    ranked = penalty * score
    total = ranked * (1 - window_influence) + window * window_influence
    if response is not None:
        strides = centres.new_tensor(head.anchor_generator.strides[0])
        middle = centres.new_tensor([size[1] // 2, size[0] // 2])
        found = _sample_at(response, size,
                           *(centres / strides[:, None] + middle[:, None]))
        total = total * (1 - filter_influence) + found * filter_influence
    boxes = torch.cat([centres, torch.stack([w, h])])
    votes = ranked
    if avoid is not None:
        free = (_overlaps(boxes, avoid) <= AVOID_IOU).all(0).to(total)
        total, votes = total * free, votes * free
    best = torch.argmax(total, dim=0, keepdim=True)
    bbox = boxes.index_select(1, best)
    min_iou = head.test_cfg.get('vote_iou')
    if min_iou:
        bbox = _vote(boxes, votes, bbox, min_iou)
    chosen = torch.stack([score, penalty]).index_select(1, best)
    return SelectedProposal(bbox[:, 0], chosen[0], chosen[1], best, boxes,
                            ranked)


def _overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """IoU of (4, K) boxes with (M, 4) others, (M, K)."""
    centre, half = others[:, :2, None], others[:, 2:, None] / 2
    sides = (
        torch.minimum(boxes[:2] + boxes[2:] / 2, centre + half) -
        torch.maximum(boxes[:2] - boxes[2:] / 2, centre - half)).clamp(min=0)
    intersection = sides.prod(1)
    areas = boxes[2:].prod(0) + others[:, 2:].prod(1)[:, None]
    return intersection / (areas - intersection).clamp(min=1e-9)


def _sample_at(response: Tensor, size: Tuple[int, int], x: Tensor,
               y: Tensor) -> Tensor:
    """``sample_at`` of the RPN head."""
    height, width = size
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top = x.floor().clamp(max=width - 2), y.floor().clamp(max=height - 2)
    dx, dy = x - left, y - top
    corner = (top * width + left).long()
    values = response.flatten()
    a, b, c, d = (
        values.index_select(0, corner + i) for i in (0, 1, width, width + 1))
    return (a * (1 - dx) + b * dx) * (1 - dy) + (c * (1 - dx) + d * dx) * dy


def _vote(boxes: Tensor, weights: Tensor, best: Tensor,
          min_iou: float) -> Tensor:
    """``vote`` of the RPN head, with the best box as (4, 1)."""
    low, high = boxes[:2] - boxes[2:] / 2, boxes[:2] + boxes[2:] / 2
    sides = (
        torch.minimum(high, best[:2] + best[2:] / 2) -
        torch.maximum(low, best[:2] - best[2:] / 2)).clamp(min=0)
    total = boxes[2:].prod(0) + best[2:].prod(0)
    votes = weights * (sides.prod(0) *
                       (1 + min_iou) >= min_iou * total).to(weights)
    values = torch.cat([boxes[:2], boxes[2:].log()])
    mean = (values * votes).sum(1, keepdim=True) / votes.sum().clamp(min=1e-30)
    return torch.cat([mean[:2], mean[2:].exp()])
