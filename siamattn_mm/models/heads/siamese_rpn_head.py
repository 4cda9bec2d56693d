"""Siamese RPN head: SiamRPN++'s, with the paper's anchors and proposals."""
import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmdet.models.losses import L1Loss, SmoothL1Loss
from mmengine.structures import InstanceData
from mmtrack.models.track_heads import SiameseRPNHead
from mmtrack.registry import MODELS
from scipy.special import expit
from torch import Tensor, nn

from siamattn_mm.utils.image_draws import (
    DrawOrder,
    draw_order,
    image_keys,
    own_numbers,
)

from ..ops.constants import cached_constant, upload
from ..task_modules.anchor_targets import (
    anchor_targets,
    can_batch,
    is_plain,
    negative_window,
)
from ..task_modules.box_bias import corrected
from ..task_modules.rivals import overlaps
from .correlation_head import (
    DepthwiseCorrelationHead,
    can_correlate_together,
    correlate_together,
)

# Of a size's change: exp() of what an untrained network says overflows.
MAX_LOG = 8.
# The same of mmdet's box coder, in the losses.
CODER_MAX_LOG = abs(math.log(16 / 1000))
# mmdet's losses that synchronise where they get weights.
ASKING_LOSSES = (L1Loss, SmoothL1Loss)
# What overlaps a box to avoid more is not proposed.
AVOID_IOU = 0.3


class Proposal(NamedTuple):
    """The best anchor's prediction in one search crop.

    Attributes:
        bbox (np.ndarray): (4,) float64, cxcywh in crop pixels, relative to
            the crop's centre.
        score (float): Foreground probability, 0..1.
        penalty (float): Of its change in size and aspect, 0..1.
        best (int): Index of the anchor.
        boxes (np.ndarray, optional): (4, K) float64 of all anchors, like
            ``bbox``.
        ranked (np.ndarray, optional): (K,) of all anchors, the score times
            the penalty.
    """
    bbox: np.ndarray
    score: float
    penalty: float
    best: int = 0
    boxes: Optional[np.ndarray] = None
    ranked: Optional[np.ndarray] = None


def _padded_size(w: np.ndarray, h: np.ndarray) -> np.ndarray:
    pad = 0.5 * (w + h)
    return np.sqrt((w + pad) * (h + pad))


def _change(ratio: np.ndarray) -> np.ndarray:
    return np.maximum(ratio, 1. / ratio)


def vote(boxes: np.ndarray, weights: np.ndarray, best: int,
         min_iou: float) -> np.ndarray:
    """Average the boxes that agree with the best one (box voting).

    Source: Gidaris and Komodakis, ICCV 2015
    (https://arxiv.org/abs/1505.01749), section 4.

    Args:
        boxes (np.ndarray): (4, K), cxcywh.
        weights (np.ndarray): (K,), not negative.
        best (int): Index of the best box; its weight is not 0.
        min_iou (float): Boxes that overlap the best one less have no vote.

    Returns:
        np.ndarray: (4,), cxcywh: means of the centres, geometric means of
        the sizes.
    """
    half = boxes[2:] / 2
    low, high = boxes[:2] - half, boxes[:2] + half
    sides = (
        np.minimum(high, high[:, best, None]) -
        np.maximum(low, low[:, best, None])).clip(min=0)
    intersection, areas = sides[0] * sides[1], boxes[2] * boxes[3]
    # intersection / union >= min_iou
    voters = np.flatnonzero(
        intersection * (1 + min_iou) >= min_iou * (areas + areas[best]))
    mean = np.average(
        np.concatenate([boxes[:2, voters], np.log(boxes[2:, voters])]),
        axis=1,
        weights=weights[voters])
    return np.concatenate([mean[:2], np.exp(mean[2:])])


def sample_at(response: np.ndarray, x: np.ndarray,
              y: np.ndarray) -> np.ndarray:
    """Interpolate a map bilinearly.

    Args:
        response (np.ndarray): (H, W).
        x (np.ndarray): Columns from 0, clipped to the map.
        y (np.ndarray): Rows from 0, clipped to the map.

    Returns:
        np.ndarray: As many values.
    """
    height, width = response.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left = np.minimum(x.astype(np.intp), width - 2)
    top = np.minimum(y.astype(np.intp), height - 2)
    dx, dy = x - left, y - top
    corner = top * width + left
    values = response.ravel()
    return ((values[corner] * (1 - dx) + values[corner + 1] * dx) * (1 - dy) +
            (values[corner + width] *
             (1 - dx) + values[corner + width + 1] * dx) * dy)


@MODELS.register_module()
class SiamAttnRPNHead(SiameseRPNHead):
    """Siamese RPN over DSA outputs (paper section 3.3).

    mmtrack's ``SiameseRPNHead`` gives the network and the losses. This class
    adds what refinement needs: the best proposal in crop pixels
    (:meth:`select_proposal`) and every anchor decoded (:meth:`decode`).

    Args:
        anchor_generator (dict): Use ``SiamAttnAnchorGenerator``; mmtrack's
            makes other anchors.
        in_channels (Sequence[int]): Channels of each level.
        kernel_size (int): Of the convs before the correlations.
            Defaults to 3.
        norm_cfg (dict): Defaults to dict(type='BN').
        train_cfg (dict): As for ``SiameseRPNHead``.
        test_cfg (dict): ``penalty_k``, ``window_influence``, ``lr`` and,
            optionally, ``vote_iou``: the proposal's box is the mean of all
            that overlap the best one so much, weighted by their penalised
            scores, as :func:`vote` does it. ``filter_influence`` is the share
            that a correlation filter has in the ranking, if the tracker has
            one (0).
        weighted_sum (bool): Of the levels, with learnt weights.
            Defaults to True.
        bbox_coder (dict): Of the losses' targets. Defaults to plain deltas.
        loss_iou (dict, optional): A loss of decoded boxes, added to that of
            the deltas; it must be a sum, such as ``dict(
            type='BoxGIoULoss', reduction='sum')``. Neither profile has
            one. Defaults to None.
        **kwargs: As for ``SiameseRPNHead``.
    """

    optimize = True
    folds_norms = False

    def __init__(self,
                 anchor_generator: dict,
                 in_channels: Sequence[int],
                 kernel_size: int = 3,
                 norm_cfg: dict = dict(type='BN'),
                 weighted_sum: bool = True,
                 bbox_coder: dict = dict(
                     type='mmdet.DeltaXYWHBBoxCoder',
                     target_means=[0., 0., 0., 0.],
                     target_stds=[1., 1., 1., 1.]),
                 loss_iou: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            anchor_generator,
            in_channels,
            kernel_size,
            norm_cfg,
            weighted_sum=weighted_sum,
            bbox_coder=bbox_coder,
            **kwargs)
        self.loss_iou = MODELS.build(loss_iou) if loss_iou else None
        num_anchors = self.anchor_generator.num_base_anchors[0]
        for name, values in (('cls_heads', 2), ('reg_heads', 4)):
            setattr(
                self, name,
                nn.ModuleList(
                    DepthwiseCorrelationHead(channels, channels, values *
                                             num_anchors, kernel_size,
                                             norm_cfg)
                    for channels in in_channels))
        self._grids: Dict[Tuple[int, int], Tuple[np.ndarray, ...]] = {}

    def forward(self, template_feats: Tuple[Tensor, ...],
                search_feats: Tuple[Tensor, ...]) -> Tuple[Tensor, Tensor]:
        """Run the network: mmtrack's, both branches of a level together.

        Args:
            template_feats (tuple[Tensor]): One (N, C, 7, 7) per level.
            search_feats (tuple[Tensor]): One (N, C, 31, 31) per level.

        Returns:
            tuple[Tensor, Tensor]: ``cls_score`` (N, 2 * A, 25, 25) and
            ``bbox_pred`` (N, 4 * A, 25, 25).
        """
        heads = list(zip(self.cls_heads, self.reg_heads))
        if not (self.optimize and len(template_feats) == len(search_feats) ==
                len(heads) and self.folds_norms
                and all(can_correlate_together(pair) for pair in heads)):
            return super().forward(template_feats, search_feats)
        pairs = [
            correlate_together(pair, z, x)
            for pair, z, x in zip(heads, template_feats, search_feats)
        ]
        weights = [[1 / len(heads)] * len(heads)] * 2
        if self.weighted_sum:
            weights = self.cls_weight.softmax(0), self.reg_weight.softmax(0)
        cls_score, bbox_pred = (
            sum(w * out for w, out in zip(shares, outs))
            for shares, outs in zip(weights, zip(*pairs)))
        return cls_score, bbox_pred

    def _grid(self, size: Tuple[int, int]) -> Tuple[np.ndarray, ...]:
        """Anchors (4, A*H*W), cxcywh around the centre, and the window."""
        if size not in self._grids:
            height, width = size
            anchors = _centred_anchors(self.anchor_generator, size)
            window = np.outer(np.hanning(height), np.hanning(width))
            self._grids[size] = (
                anchors,
                np.tile(window.ravel(), anchors.shape[1] // window.size))
        return self._grids[size]

    def select_proposal(self,
                        cls_score: Tensor,
                        bbox_pred: Tensor,
                        target_size: Tuple[float, float],
                        response: Optional[np.ndarray] = None,
                        bias: Optional[np.ndarray] = None,
                        avoid: Optional[np.ndarray] = None) -> Proposal:
        """Pick the best anchor of one crop.

        Scores are penalised for a change of size and aspect ratio against
        the last frame, then blended with a Hanning window, and with what a
        correlation filter says of the place of the box's centre.

        Args:
            cls_score (Tensor): (1, 2 * A, H, W) logits; channel = class * A +
                anchor.
            bbox_pred (Tensor): (1, 4 * A, H, W) deltas; channel = coordinate
                * A + anchor.
            target_size (tuple[float, float]): Width and height of the target
                in the last frame, in crop pixels.
            response (np.ndarray, optional): (H, W), of a correlation filter,
                at most 1. Defaults to None.
            bias (np.ndarray, optional): (4,), taken from all boxes first, as
                :func:`corrected` does it. Defaults to None.
            avoid (np.ndarray, optional): (4, M), cxcywh in crop pixels from
                the crop's middle: boxes of something else, that is not to be
                proposed. Defaults to None.

        Returns:
            Proposal: See there.
        """
        anchors, window = self._grid(tuple(cls_score.shape[-2:]))
        logits = cls_score.detach().cpu().double().numpy().reshape(2, -1)
        deltas = bbox_pred.detach().cpu().double().numpy().reshape(4, -1)
        score = expit(logits[1] - logits[0])
        boxes = np.concatenate([
            deltas[:2] * anchors[2:] + anchors[:2],
            np.exp(np.clip(deltas[2:], -MAX_LOG, MAX_LOG)) * anchors[2:]
        ])
        if bias is not None:
            boxes = corrected(boxes, bias)
        w, h = boxes[2:]

        scale_change = _change(_padded_size(w, h) / _padded_size(*target_size))
        ratio_change = _change((target_size[0] / target_size[1]) / (w / h))
        cfg = self.test_cfg
        penalty = np.exp(-cfg.penalty_k * (ratio_change * scale_change - 1))
        influence = cfg.window_influence
        ranked = penalty * score
        total = ranked * (1 - influence) + window * influence
        if response is not None:
            (height, width), share = response.shape, cfg.filter_influence
            stride_x, stride_y = self.anchor_generator.strides[0]
            found = sample_at(response, boxes[0] / stride_x + width // 2,
                              boxes[1] / stride_y + height // 2)
            total = total * (1 - share) + found * share
        votes = ranked
        if avoid is not None:
            for box in avoid.T:
                other = overlaps(boxes, box) > AVOID_IOU
                total, votes = (
                    np.where(other, 0, values) for values in (total, votes))
        best = int(np.argmax(total))
        bbox = boxes[:, best]
        if cfg.get('vote_iou') and votes[best] > 0:
            bbox = vote(boxes, votes, best, cfg.vote_iou)
        return Proposal(bbox, float(score[best]), float(penalty[best]), best,
                        boxes, ranked)

    def decode(self, bbox_pred: Tensor) -> Tensor:
        """Decode every anchor.

        Args:
            bbox_pred (Tensor): (N, 4 * A, H, W) deltas.

        Returns:
            Tensor: (N, A * H * W, 4), cxcywh in crop pixels, relative to the
            crop's centre; anchor-major.
        """
        deltas = bbox_pred.flatten(1).view(len(bbox_pred), 4, -1)
        anchors = _anchor_tensor(self.anchor_generator,
                                 tuple(bbox_pred.shape[-2:]), deltas.device,
                                 deltas.dtype)
        centres = deltas[:, :2] * anchors[2:] + anchors[:2]
        sizes = deltas[:, 2:].clamp(-MAX_LOG, MAX_LOG).exp() * anchors[2:]
        return torch.cat([centres, sizes], dim=1).transpose(1, 2)

    def loss_by_feat(self, cls_score: Tensor, bbox_pred: Tensor,
                     batch_gt_instances: Optional[List[InstanceData]],
                     batch_search_gt_instances: List[InstanceData],
                     batch_img_metas: List[dict]) -> Dict[str, Tensor]:
        """Losses of class and box, as mmtrack's, and of the boxes' overlap.

        Args:
            cls_score (Tensor): (N, 2 * A, H, W) logits.
            bbox_pred (Tensor): (N, 4 * A, H, W) deltas.
            batch_gt_instances (list[InstanceData], optional): Not used.
            batch_search_gt_instances (list[InstanceData]): See
                :meth:`get_targets`.
            batch_img_metas (list[dict]): Not used.

        Returns:
            dict[str, Tensor]: ``loss_rpn_cls``, ``loss_rpn_bbox`` and, with
            ``loss_iou``, ``loss_rpn_iou``.
        """
        labels, label_weights, targets, weights = self.get_targets(
            batch_search_gt_instances, cls_score.shape[-2:], cls_score.device)
        scores, deltas = (
            maps.unflatten(1, (num, -1)).permute(0, 3, 4, 2, 1).flatten(1, 3)
            for maps, num in ((cls_score, 2), (bbox_pred, 4)))
        losses = dict(
            loss_rpn_cls=self.loss_cls(
                scores.flatten(0, 1),
                labels.flatten(),
                weight=label_weights.flatten()),
            loss_rpn_bbox=_weighted(self.loss_bbox, deltas.flatten(0, 1),
                                    targets.flatten(0, 1),
                                    weights.flatten(0, 1)))
        if self.loss_iou is not None:
            losses['loss_rpn_iou'] = self._loss_iou(
                deltas, targets, weights[..., 0], cls_score.shape[-2:])
        return losses

    def _loss_iou(self, deltas: Tensor, targets: Tensor, weights: Tensor,
                  size: torch.Size) -> Tensor:
        # As many places of each image as can be positive: how many are is
        # known to the device alone.
        num = min(int(self.sampler.num * self.sampler.pos_fraction),
                  weights.shape[1])
        weights, index = weights.topk(num, dim=1)
        anchors = self._anchors(size, deltas.device)[index]
        place = index[..., None].expand(-1, -1, 4)
        found, wanted = (
            self._decode_xyxy(anchors, values.gather(1, place).float())
            for values in (deltas, targets))
        return self.loss_iou(found, wanted, weight=weights.flatten())

    def _decode_xyxy(self, anchors: Tensor, deltas: Tensor) -> Tensor:
        """(N, S, 4) anchors, xyxy, and deltas: (N * S, 4) boxes, xyxy."""
        anchors, deltas = anchors.flatten(0, 1), deltas.flatten(0, 1)
        if not is_plain(self.bbox_coder):
            return self.bbox_coder.decode(anchors, deltas)
        size = anchors[:, 2:] - anchors[:, :2]
        centre = (anchors[:, :2] + anchors[:, 2:]) * 0.5 + size * deltas[:, :2]
        half = size * deltas[:, 2:].clamp(-CODER_MAX_LOG,
                                          CODER_MAX_LOG).exp() / 2
        return torch.cat([centre - half, centre + half], 1)

    def _anchors(self, size: torch.Size, device: torch.device) -> Tensor:
        """(H * W * A, 4), xyxy in crop pixels, as the losses count them."""
        return _shifted_anchors(
            self.anchor_generator, tuple(size),
            self.train_cfg.search_size // 2, device)

    def get_targets(self,
                    batch_gt_instances: List[InstanceData],
                    score_maps_size: torch.Size,
                    device: Optional[torch.device] = None
                    ) -> Tuple[Tensor, ...]:
        """Draw the anchors to train on, of all images at once.

        Rules and weights are those of mmtrack's, which goes from image to
        image; an assigner or a sampler that
        :func:`~.task_modules.anchor_targets.can_batch` does not know still
        does.

        Args:
            batch_gt_instances (list[InstanceData]): ``bboxes`` (1, 4), xyxy
                in crop pixels, and ``labels`` (1,) of each search crop.
            score_maps_size (torch.Size): Height and width of the maps.
            device (torch.device, optional): Where targets are wanted.
                Defaults to None: where the boxes are.

        Returns:
            tuple[Tensor, ...]: Labels (N, K), their weights (N, K), box
            targets (N, K, 4) and their weights (N, K, 4). Weights are those
            of a mean over the images.
        """
        device = device or batch_gt_instances[0].bboxes.device
        if not can_batch(self.assigner, self.sampler):
            return self.targets_one_by_one(batch_gt_instances,
                                            score_maps_size, device)
        bboxes = upload(
            torch.cat([one.bboxes for one in batch_gt_instances]), device)
        labels = upload(
            torch.cat([one.labels for one in batch_gt_instances]), device)
        anchors = self._anchors(score_maps_size, device)
        draws = DrawOrder(*(upload(part, device) for part in draw_order(
            len(bboxes), len(anchors))))
        window = negative_window(
            bboxes, tuple(score_maps_size), self.anchor_generator.strides[0],
            self.anchor_generator.num_base_anchors[0],
            self.train_cfg.search_size // 2)
        return tuple(
            anchor_targets(anchors, bboxes, labels > 0, draws, self.assigner,
                           self.sampler, self.bbox_coder, window,
                           self.train_cfg.num_neg))

    def targets_one_by_one(self, batch_gt_instances: List[InstanceData],
                           score_maps_size: torch.Size,
                           device: torch.device) -> Tuple[Tensor, ...]:
        """mmtrack's targets, each image's from numbers of its own.

        So they do not depend on the images before it, nor on how many
        processes share the batch.

        Args:
            batch_gt_instances (list[InstanceData]): As :meth:`get_targets`.
            score_maps_size (torch.Size): Height and width of the maps.
            device (torch.device): Where targets are wanted.

        Returns:
            tuple[Tensor, ...]: As of :meth:`get_targets`.
        """
        num_images = len(batch_gt_instances)
        targets = []
        for key, instances in zip(
                image_keys(num_images).tolist(), batch_gt_instances):
            with own_numbers(key, instances.bboxes.device):
                targets.append(super().get_targets([instances],
                                                   score_maps_size))
        labels, label_weights, deltas, delta_weights = (
            upload(torch.cat(parts), device) for parts in zip(*targets))
        return (labels, label_weights / num_images, deltas,
                delta_weights / num_images)


def _centred_anchors(generator: Any, size: Tuple[int, int]) -> np.ndarray:
    """Anchors (4, A*H*W), cxcywh around the centre, anchor-major."""
    height, width = size
    base = generator.base_anchors[0].numpy()
    stride_x, stride_y = generator.strides[0]
    grid = np.empty((4, len(base), height, width))
    grid[0] = (np.arange(width) - width // 2) * stride_x
    grid[1] = ((np.arange(height) - height // 2) * stride_y)[:, None]
    grid[2] = (base[:, 2] - base[:, 0])[:, None, None]
    grid[3] = (base[:, 3] - base[:, 1])[:, None, None]
    return grid.reshape(4, -1)


@cached_constant(maxsize=16)
def _anchor_tensor(generator: Any, size: Tuple[int, int],
                   device: torch.device, dtype: torch.dtype) -> Tensor:
    """:func:`_centred_anchors` where they are needed."""
    return torch.from_numpy(_centred_anchors(generator, size)).to(
        device, dtype)


@cached_constant(maxsize=16)
def _shifted_anchors(generator: Any, size: Tuple[int, int], middle: int,
                     device: torch.device) -> Tensor:
    """mmtrack's anchors, the middle cell's at the crop's middle pixel."""
    anchors = generator.grid_priors([size], device='cpu')[0]
    for axis in range(2):
        stride = generator.strides[0][axis]
        anchors[:, axis::2] += middle - (size[1 - axis] // 2) * stride
    return anchors.to(device)


def _weighted(loss: nn.Module, found: Tensor, wanted: Tensor,
              weights: Tensor) -> Tensor:
    """A weighted sum, without asking the device whether a weight is not 0.

    mmdet's regression losses do ask where they get the weights.
    """
    if (getattr(loss, 'reduction', None) != 'sum'
            or type(loss) not in ASKING_LOSSES):
        return loss(found, wanted, weight=weights)
    return (loss(found, wanted, reduction_override='none') * weights).sum()
