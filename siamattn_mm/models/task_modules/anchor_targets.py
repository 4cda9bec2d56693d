"""What the anchors of a whole batch are to learn."""
from typing import Any, NamedTuple, Optional, Tuple

import torch
from mmdet.models.task_modules import DeltaXYWHBBoxCoder, MaxIoUAssigner
from torch import Tensor

from siamattn_mm.utils.image_draws import DrawOrder, first_candidates

from ..ops.box_overlaps import corner_iou
from .sampler import SiamAttnSampler

# Negative pairs learn from the cells so near to the one behind the object.
NEGATIVE_REACH = 3
# Hard negatives overlap the target by less: its own parts are not among them.
HARD_OVERLAP = 0.1


class AnchorTargets(NamedTuple):
    """Targets of N images: of the anchors that were drawn of the K.

    Weights are those of a mean over the images. Where an image has fewer
    anchors of a kind, the rest of them are any, or there again, with a weight
    of 0.

    Attributes:
        places (Tensor): (N, S) int64, which anchors; first P of the target,
            then those of something else.
        labels (Tensor): (N, S) int64, 1 for the target.
        label_weights (Tensor): (N, S).
        deltas (Tensor): (N, P, 4), of the first P; 0 where one is not the
            target.
        delta_weights (Tensor): (N, P).
    """
    places: Tensor
    labels: Tensor
    label_weights: Tensor
    deltas: Tensor
    delta_weights: Tensor

    @property
    def target_places(self) -> Tensor:
        """Tensor: (N, P) int64, anchors that are the target."""
        return self.places[:, :self.deltas.shape[1]]

    def dense(self, num_anchors: int) -> Tuple[Tensor, ...]:
        """mmtrack's form of them, which has a place for each anchor.

        Args:
            num_anchors (int): K.

        Returns:
            tuple[Tensor, ...]: Labels (N, K), their weights (N, K), deltas
            (N, K, 4) and their weights (N, K, 4).
        """
        shape = len(self.places), num_anchors

        def spread(places: Tensor, values: Tensor) -> Tensor:
            # Places that are there again add nothing.
            return values.new_zeros(shape + values.shape[2:]).scatter_add_(
                1, places, values)

        places = self.target_places[..., None].expand_as(self.deltas)
        weights = self.delta_weights[..., None].expand_as(self.deltas)
        return (spread(self.places, self.labels),
                spread(self.places, self.label_weights),
                spread(places, self.deltas), spread(places, weights))

    @classmethod
    def of_dense(cls, labels: Tensor, label_weights: Tensor, deltas: Tensor,
                 delta_weights: Tensor, num_pos: int,
                 num_neg: int) -> 'AnchorTargets':
        """The same from mmtrack's form.

        Args:
            labels (Tensor): As :meth:`dense` returns them, like the others.
            label_weights (Tensor): (N, K).
            deltas (Tensor): (N, K, 4).
            delta_weights (Tensor): (N, K, 4).
            num_pos (int): P, anchors of the target in an image at most.
            num_neg (int): Others that were drawn of an image at most.

        Returns:
            AnchorTargets: Of all images.
        """
        num_pos, num_neg = (
            min(num, labels.shape[1]) for num in (num_pos, num_neg))
        weights, pos = delta_weights[..., 0].topk(num_pos, dim=1)
        pos_weights, neg_weights = (
            label_weights * (labels == label) for label in (1, 0))
        neg_weights, neg = neg_weights.topk(num_neg, dim=1)
        pos_weights = pos_weights.gather(1, pos)
        return cls(
            torch.cat([pos, neg], 1),
            torch.cat([(pos_weights > 0).long(), torch.zeros_like(neg)], 1),
            torch.cat([pos_weights, neg_weights], 1),
            torch.take_along_dim(deltas, pos[..., None], 1), weights)


def can_batch(assigner: Any, sampler: Any) -> bool:
    """Whether :func:`anchor_targets` follows the rules of these.

    Args:
        assigner (Any): Of the RPN head.
        sampler (Any): Of the RPN head.

    Returns:
        bool: True for mmdet's ``MaxIoUAssigner`` with ``SiamAttnSampler``.
    """
    return (type(assigner) is MaxIoUAssigner
            and type(sampler) is SiamAttnSampler
            and assigner.gt_max_assign_all and sampler.neg_pos_ub < 0
            and not sampler.add_gt_as_proposals)


def anchor_targets(anchors: Tensor, gt_bboxes: Tensor, positive: Tensor,
                   draws: DrawOrder, assigner: MaxIoUAssigner,
                   sampler: SiamAttnSampler, coder: Any,
                   window: Tensor, num_neg: int,
                   scores: Optional[Tensor] = None) -> AnchorTargets:
    """Assign and draw the anchors of all images at once.

    The rules are mmtrack's, one image at a time there: anchors that overlap
    the target enough are positive, those that hardly do are negative, and of
    both some are drawn. Negative pairs learn from some of the anchors around
    the object that is not the target. Nothing here waits for the device.

    Args:
        anchors (Tensor): (K, 4), xyxy in crop pixels.
        gt_bboxes (Tensor): (N, 4), xyxy in crop pixels.
        positive (Tensor): (N,) bool, whether it is a positive pair.
        draws (DrawOrder): In which order each image looks at the anchors:
            the first of a kind are drawn.
        assigner (MaxIoUAssigner): Says which anchors are which.
        sampler (SiamAttnSampler): Says how many are drawn.
        coder (Any): Encodes boxes.
        window (Tensor): (N, cells) bool, what negative pairs learn from: all
            anchors of these cells, which lie side by side. None of positive
            pairs, see :func:`negative_window`.
        num_neg (int): How many of them are drawn.
        scores (Tensor, optional): (N, K), how much each anchor is the target
            to the network; what the sampler's ``hard_fraction`` of the
            negatives is chosen by. Defaults to None: all are drawn.

    Returns:
        AnchorTargets: Of all images.
    """
    num_images, num_anchors = len(gt_bboxes), len(anchors)
    order, starts = draws
    # Coordinate by coordinate: several times as fast.
    overlaps = corner_iou(gt_bboxes.t()[..., None],
                          anchors[order].t().contiguous())
    is_positive = positive[:, None]
    near, far = _assign(overlaps, is_positive, assigner)
    cell = order // (num_anchors // window.shape[1])
    # Takes half the time of `window[:, cell]`.
    window = window.gather(1, cell.expand(num_images, -1))
    max_pos = int(sampler.num * sampler.pos_fraction)
    max_neg = sampler.num - max_pos
    pos, is_pos = first_candidates(near, starts, max_pos)
    neg, is_neg = first_candidates(far | window, starts,
                                   max(max_neg, num_neg))
    pos, neg = order[pos], order[neg]
    is_pos = is_pos & is_positive
    hard_fraction = sampler.hard_fraction if scores is not None else 0.
    hard_of = int(max_neg * hard_fraction), int(num_neg * hard_fraction)
    # Negative pairs give another number of anchors.
    is_neg = is_neg & _first_of(neg, is_positive, max_neg - hard_of[0],
                                num_neg - hard_of[1])
    if max(hard_of):
        clear = far & (overlaps < HARD_OVERLAP) | window
        hard, is_hard = _hardest(
            scores.index_select(1, order), clear, max(hard_of))
        is_hard = is_hard & _first_of(hard, is_positive, *hard_of)
        neg = torch.cat([neg, order[hard]], 1)
        is_neg = torch.cat([is_neg, is_hard], 1)

    share_pos, share_neg = (
        one.to(anchors) / (one.sum(1, keepdim=True).clamp(min=1) * num_images)
        for one in (is_pos, is_neg))
    deltas = _encode(coder, anchors[pos], gt_bboxes[:, None])
    return AnchorTargets(
        torch.cat([pos, neg], 1),
        torch.cat([is_pos.long(), torch.zeros_like(neg)], 1),
        torch.cat([share_pos, share_neg], 1) / 2,
        deltas.where(is_pos[..., None], anchors.new_zeros(())), share_pos)


def _first_of(places: Tensor, is_positive: Tensor, of_positive: int,
              of_negative: int) -> Tensor:
    """(N, S) bool: so many of each row, as its pair is positive or not."""
    rank = torch.arange(places.shape[1], device=places.device)
    return torch.where(is_positive, rank < of_positive, rank < of_negative)


def _hardest(scores: Tensor, candidates: Tensor,
             num: int) -> Tuple[Tensor, Tensor]:
    """Candidates with the highest scores: (N, S) places; which are any."""
    lowest = torch.finfo(scores.dtype).min
    num = min(num, scores.shape[1])
    places = scores.masked_fill(~candidates, lowest).topk(num, dim=1).indices
    return places, candidates.gather(1, places)


def _assign(overlaps: Tensor, is_positive: Tensor,
            assigner: MaxIoUAssigner) -> Tuple[Tensor, Tensor]:
    """Anchors that are the target, and that are not, (N, K) bool each.

    The latter of positive pairs alone; what the former are of a negative
    pair means nothing.
    """
    enough = overlaps.new_full((), assigner.pos_iou_thr)
    if assigner.match_low_quality:
        # However small the overlap: whatever fits best.
        top = overlaps.amax(1, keepdim=True)
        enough = torch.where(top >= assigner.min_pos_iou,
                             top.clamp(max=assigner.pos_iou_thr), enough)
    near = overlaps >= enough
    low, high = ((0., assigner.neg_iou_thr) if isinstance(
        assigner.neg_iou_thr, float) else assigner.neg_iou_thr)
    nothing = overlaps.new_zeros(())
    far = overlaps < torch.where(is_positive, enough.clamp(max=high), nothing)
    return near, far & (overlaps >= low) if low > 0 else far


def _encode(coder: Any, anchors: Tensor, gt_bboxes: Tensor) -> Tensor:
    """(N, S, 4) anchors against (N, 1, 4) boxes: (N, S, 4) deltas."""
    if not is_plain(coder):
        return coder.encode(
            anchors.flatten(0, 1),
            gt_bboxes.expand_as(anchors).flatten(0, 1)).view_as(anchors)
    size, gt_size = (b[..., 2:] - b[..., :2] for b in (anchors, gt_bboxes))
    centre, gt_centre = ((b[..., :2] + b[..., 2:]) * 0.5
                         for b in (anchors, gt_bboxes))
    return torch.cat([(gt_centre - centre) / size, (gt_size / size).log()], -1)


def is_plain(coder: Any) -> bool:
    """Whether deltas are not normalised.

    mmdet's coder makes tensors of its means on the host at each call, and so
    waits for a GPU; without means, its formula is short.

    Args:
        coder (Any): Of the RPN head.

    Returns:
        bool: True for ``DeltaXYWHBBoxCoder`` with means 0 and deviations 1.
    """
    return (type(coder) is DeltaXYWHBBoxCoder and not any(coder.means)
            and all(std == 1 for std in coder.stds))


def negative_window(gt_bboxes: Tensor, positive: Tensor,
                    size: Tuple[int, int], stride: Tuple[int, int],
                    middle: int) -> Tensor:
    """Cells whose anchors negative pairs learn from: those around the object.

    Args:
        gt_bboxes (Tensor): (N, 4), xyxy in crop pixels.
        positive (Tensor): (N,) bool, whether it is a positive pair, which
            has no such cells.
        size (tuple[int, int]): H, W of the score maps.
        stride (tuple[int, int]): Of the maps, along x and y.
        middle (int): Crop pixel of the middle cell.

    Returns:
        Tensor: (N, H * W) bool.
    """
    inside = []
    for axis in (1, 0):  # rows first
        centre = (gt_bboxes[:, axis] + gt_bboxes[:, axis + 2]) / 2
        cells = size[1 - axis]
        cell = cells // 2 + ((centre - middle) / stride[axis] + 0.5).ceil()
        place = torch.arange(cells, device=centre.device)
        inside.append((place - cell[:, None]).abs() <= NEGATIVE_REACH)
    rows = inside[0] & ~positive[:, None]
    return (rows[:, :, None] & inside[1][:, None, :]).flatten(1)
