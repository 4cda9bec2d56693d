"""Siamese RPN head: SiamRPN++'s, with the paper's anchors and proposals."""
import math
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
from mmdet.models.losses import L1Loss, SmoothL1Loss
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from mmtrack.models.track_heads import SiameseRPNHead
from mmtrack.registry import MODELS
from torch import Tensor, nn

from siamattn_mm.structures.boxes import AnchorGrid
from siamattn_mm.utils.image_draws import (
    DrawOrder,
    draw_order,
    image_keys,
    own_numbers,
)

from ..losses.teacher_box_loss import TeacherMaps
from ..ops.constants import cached_constant, upload
from ..ops.paths import HasPaths
from ..task_modules.anchor_targets import (
    AnchorTargets,
    anchor_targets,
    can_batch,
    is_plain,
    negative_window,
)
from ..task_modules.selection import MAX_LOG
from .correlation_head import (
    DepthwiseCorrelationHead,
    can_correlate_together,
    correlate_together,
)

# The same of mmdet's box coder, in the losses.
CODER_MAX_LOG = abs(math.log(16 / 1000))
# mmdet's losses that synchronise where they get weights.
ASKING_LOSSES = (L1Loss, SmoothL1Loss)

# mmtrack's head builds these, whether it is trained or not.
NEVER_TRAINED = ConfigDict(
    assigner=dict(
        type='mmdet.MaxIoUAssigner',
        pos_iou_thr=0.6,
        neg_iou_thr=0.3,
        iou_calculator=dict(type='mmdet.BboxOverlaps2D')),
    sampler=dict(type='mmdet.RandomSampler', num=64, pos_fraction=0.25))


@MODELS.register_module()
class SiamAttnRPNHead(HasPaths, SiameseRPNHead):
    """Siamese RPN over DSA outputs (paper section 3.3).

    mmtrack's ``SiameseRPNHead`` gives the network and the losses. This class
    adds what refinement is trained with: every anchor decoded
    (:meth:`decode`). How one of them is chosen in tracking is in
    ``task_modules/selection.py``.

    Args:
        anchor_generator (dict): Use ``SiamAttnAnchorGenerator``; mmtrack's
            makes other anchors.
        in_channels (Sequence[int]): Channels of each level.
        kernel_size (int): Of the convs before the correlations.
            Defaults to 3.
        norm_cfg (dict): Defaults to dict(type='BN').
        train_cfg (dict): As for ``SiameseRPNHead``.
        test_cfg (dict): As for ``SiameseRPNHead``; not used here.
        weighted_sum (bool): Of the levels, with learnt weights.
            Defaults to True.
        bbox_coder (dict): Of the losses' targets. Defaults to plain deltas.
        loss_iou (dict, optional): A loss of decoded boxes, added to that of
            the deltas; it must be a sum, such as ``dict(
            type='BoxGIoULoss', reduction='sum')``. Neither profile has
            one. Defaults to None.
        loss_teacher (dict, optional): A loss of boxes against those of a
            teacher, such as ``dict(type='TeacherBoxLoss')``, for pairs that
            ``TeacherLabels`` labelled. Defaults to None.
        train_cfg (dict, optional): As for ``SiameseRPNHead``; None for a head
            that is never trained. Defaults to None.
        **kwargs: As for ``SiameseRPNHead``.
    """

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
                 loss_teacher: Optional[dict] = None,
                 train_cfg: Optional[dict] = None,
                 **kwargs) -> None:
        super().__init__(
            anchor_generator,
            in_channels,
            kernel_size,
            norm_cfg,
            weighted_sum=weighted_sum,
            bbox_coder=bbox_coder,
            train_cfg=train_cfg or NEVER_TRAINED,
            **kwargs)
        self.loss_iou = MODELS.build(loss_iou) if loss_iou else None
        self.loss_teacher = MODELS.build(
            loss_teacher) if loss_teacher else None
        num_anchors = self.anchor_generator.num_base_anchors[0]
        for name, values in (('cls_heads', 2), ('reg_heads', 4)):
            setattr(
                self, name,
                nn.ModuleList(
                    DepthwiseCorrelationHead(channels, channels, values *
                                             num_anchors, kernel_size,
                                             norm_cfg)
                    for channels in in_channels))

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
        if not (self.paths.folded and len(template_feats) ==
                len(search_feats) == len(heads)
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
            dict[str, Tensor]: ``loss_rpn_cls``, ``loss_rpn_bbox``, with
            ``loss_iou`` ``loss_rpn_iou``, and with ``loss_teacher``
            ``loss_rpn_teacher``.
        """
        scores, deltas = (
            maps.unflatten(1, (num, -1)).permute(0, 3, 4, 2, 1).flatten(1, 3)
            for maps, num in ((cls_score, 2), (bbox_pred, 4)))
        size = cls_score.shape[-2:]
        targets = self.draw_targets(batch_search_gt_instances, size,
                                    cls_score.device, scores.detach())
        losses = dict(
            loss_rpn_cls=self._loss_cls(scores, targets),
            loss_rpn_bbox=self._loss_bbox(deltas, targets))
        if self.loss_iou is not None:
            losses['loss_rpn_iou'] = self._loss_iou(deltas, targets, size)
        if self.loss_teacher is not None:
            losses['loss_rpn_teacher'] = self._loss_teacher(
                deltas, batch_search_gt_instances, size)
        return losses

    def _loss_cls(self, scores: Tensor, targets: AnchorTargets) -> Tensor:
        labels, weights = targets.labels, targets.label_weights
        if _is_sum(self.loss_cls):
            scores = _at(scores, targets.places)
        else:
            labels, weights = targets.dense(scores.shape[1])[:2]
        return self.loss_cls(
            scores.flatten(0, 1), labels.flatten(), weight=weights.flatten())

    def _loss_bbox(self, deltas: Tensor, targets: AnchorTargets) -> Tensor:
        if not _is_sum(self.loss_bbox):
            wanted, weights = targets.dense(deltas.shape[1])[2:]
            return self.loss_bbox(
                deltas.flatten(0, 1),
                wanted.flatten(0, 1),
                weight=weights.flatten(0, 1))
        return _weighted(
            self.loss_bbox,
            _at(deltas, targets.target_places).flatten(0, 1),
            targets.deltas.flatten(0, 1),
            targets.delta_weights.flatten()[:, None].expand(-1, 4))

    def _loss_iou(self, deltas: Tensor, targets: AnchorTargets,
                  size: torch.Size) -> Tensor:
        anchors = self._anchors(size, deltas.device)[targets.target_places]
        found, wanted = (
            self._decode_xyxy(anchors, values.float())
            for values in (_at(deltas, targets.target_places),
                           targets.deltas))
        return self.loss_iou(
            found, wanted, weight=targets.delta_weights.flatten())

    def _loss_teacher(self, deltas: Tensor, instances: List[InstanceData],
                      size: torch.Size) -> Tensor:
        if not all('teacher_scores' in one for one in instances):
            raise ValueError('loss_teacher needs the labels of TeacherLabels; '
                             'put it into the training pipeline, behind '
                             'SiamPairCrop')
        scores, bboxes, gt_bboxes, labels = (
            upload(torch.cat([one[key] for one in instances]), deltas.device)
            for key in ('teacher_scores', 'teacher_bboxes', 'bboxes',
                        'labels'))
        anchors = self._anchors(size, deltas.device)
        index, wanted, weights = self.loss_teacher.targets(
            anchors, TeacherMaps(scores, bboxes), gt_bboxes, labels > 0,
            self.train_cfg.search_size // 2)
        found = self._decode_xyxy(
            anchors[index], _at(deltas, index).float())
        return self.loss_teacher(found, wanted.flatten(0, 1),
                                 weights.flatten())

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
        """What mmtrack's head returns here: :meth:`draw_targets`, dense.

        Args:
            batch_gt_instances (list[InstanceData]): As
                :meth:`draw_targets`.
            score_maps_size (torch.Size): Height and width of the maps.
            device (torch.device, optional): As :meth:`draw_targets`.

        Returns:
            tuple[Tensor, ...]: Labels (N, K), their weights (N, K), box
            targets (N, K, 4) and their weights (N, K, 4). Weights are those
            of a mean over the images.
        """
        num_anchors = self.anchor_generator.num_base_anchors[0]
        height, width = score_maps_size
        return self.draw_targets(batch_gt_instances, score_maps_size,
                                 device).dense(num_anchors * height * width)

    def draw_targets(self,
                     batch_gt_instances: List[InstanceData],
                     score_maps_size: torch.Size,
                     device: Optional[torch.device] = None,
                     scores: Optional[Tensor] = None) -> AnchorTargets:
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
            scores (Tensor, optional): (N, K, 2) logits, by which the
                sampler's hard negatives are chosen. Defaults to None: there
                are none.

        Returns:
            AnchorTargets: Of all images.

        Raises:
            ValueError: If the sampler wants hard negatives, and assigner or
                sampler go from image to image.
        """
        device = device or batch_gt_instances[0].bboxes.device
        if not can_batch(self.assigner, self.sampler):
            if getattr(self.sampler, 'hard_fraction', 0):
                raise ValueError(
                    'hard_fraction needs the targets of a whole batch: '
                    "mmdet's MaxIoUAssigner with gt_max_assign_all=True, and "
                    'SiamAttnSampler with neg_pos_ub=-1 and '
                    'add_gt_as_proposals=False')
            return AnchorTargets.of_dense(
                *self.targets_one_by_one(batch_gt_instances, score_maps_size,
                                         device),
                int(self.sampler.num * self.sampler.pos_fraction),
                max(self.sampler.num, self.train_cfg.num_neg))
        bboxes = upload(
            torch.cat([one.bboxes for one in batch_gt_instances]), device)
        labels = upload(
            torch.cat([one.labels for one in batch_gt_instances]), device)
        anchors = self._anchors(score_maps_size, device)
        draws = DrawOrder(*(upload(part, device) for part in draw_order(
            len(bboxes), len(anchors))))
        positive = labels > 0
        window = negative_window(bboxes, positive, tuple(score_maps_size),
                                 self.anchor_generator.strides[0],
                                 self.train_cfg.search_size // 2)
        if scores is not None and self.sampler.hard_fraction:
            scores = scores[..., 1] - scores[..., 0]
        else:
            scores = None
        return anchor_targets(anchors, bboxes, positive, draws, self.assigner,
                              self.sampler, self.bbox_coder, window,
                              self.train_cfg.num_neg, scores)

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


@cached_constant(maxsize=16)
def _anchor_tensor(generator: Any, size: Tuple[int, int],
                   device: torch.device, dtype: torch.dtype) -> Tensor:
    """Anchors (4, A*H*W), cxcywh around the centre, anchor-major."""
    anchors = AnchorGrid.of(generator, *size).boxes
    return torch.from_numpy(anchors.T).to(device, dtype)


@cached_constant(maxsize=16)
def _shifted_anchors(generator: Any, size: Tuple[int, int], middle: int,
                     device: torch.device) -> Tensor:
    """mmtrack's anchors, the middle cell's at the crop's middle pixel."""
    anchors = generator.grid_priors([size], device='cpu')[0]
    for axis in range(2):
        stride = generator.strides[0][axis]
        anchors[:, axis::2] += middle - (size[1 - axis] // 2) * stride
    return anchors.to(device)


def _is_sum(loss: nn.Module) -> bool:
    """Whether anchors without a weight can be left out; a mean counts all."""
    return getattr(loss, 'reduction', None) == 'sum'


def _at(values: Tensor, places: Tensor) -> Tensor:
    """(N, K, C) at (N, S) places: (N, S, C)."""
    return torch.take_along_dim(values, places[..., None], 1)


def _weighted(loss: nn.Module, found: Tensor, wanted: Tensor,
              weights: Tensor) -> Tensor:
    """A weighted sum, without asking the device whether a weight is not 0.

    mmdet's regression losses do ask where they get the weights.
    """
    if type(loss) not in ASKING_LOSSES:
        return loss(found, wanted, weight=weights)
    return (loss(found, wanted, reduction_override='none') * weights).sum()
