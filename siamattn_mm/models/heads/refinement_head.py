"""Region refinement: box and mask of one proposal (paper section 3.4)."""
from typing import Dict, List, Optional, Tuple

import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_xyxy_to_cxcywh
from mmdet.utils import reduce_mean
from mmengine.model import BaseModule
from mmtrack.registry import MODELS
from torch import Tensor, nn

from siamattn_mm.structures.boxes import MIN_SIZE, SEARCH_SIZE

from ..ops.box_overlaps import box_iou
from ..ops.constants import upload
from .refinement_rois import (
    SampledRoIs,
    box_rois,
    crop_masks,
    sample_rois,
    scaled_rois,
)

Feats = Tuple[Tensor, ...]


def _untouched(module: Optional[nn.Module], feat: Tensor) -> Tensor:
    """0, with a gradient path to every parameter, so that DDP is content."""
    zero = feat.sum() * 0
    if module is not None:
        for parameter in module.parameters():
            zero = zero + parameter.sum() * 0
    return zero


@MODELS.register_module()
class RefinementHead(BaseModule):
    """Refine a proposal's box and segment it (paper section 3.4).

    Args:
        box_fusion (dict): Config of the fused correlation feature.
        box_head (dict): Config of the box head.
        mask_fusion (dict, optional): Config of the fused mask feature. None
            refines boxes only. Defaults to None.
        mask_head (dict, optional): Config of the mask head. Defaults to None.
        loss_box (dict): Defaults to mmdet's smooth L1.
        loss_iou (dict, optional): A loss of decoded boxes, added to
            ``loss_box``, such as ``dict(type='BoxGIoULoss')``. Neither
            profile has one. Defaults to None.
        loss_mask (dict): Must be able to take no pixel. Defaults to
            ``HardPixelBCELoss``.
        loss_dice (dict, optional): A loss of whole masks, (R, 64, 64) logits
            and targets, added to ``loss_mask``, such as
            ``dict(type='mmdet.DiceLoss')``. Neither profile has one.
            Defaults to None.
        train_cfg (dict, optional): ``num_rois`` (16) RoIs of at least
            ``pos_iou_thr`` (0.5) are drawn per image from the decoded anchors
            and the ground truth; ``search_size`` (255), ``min_size`` (10).
            Masks are of RoIs whose sides are ``mask_scale`` (1) times as
            long, see ``RefineConfig``.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If only one of ``mask_fusion`` and ``mask_head`` is given,
            or the two do not agree about details.
    """

    def __init__(self,
                 box_fusion: dict,
                 box_head: dict,
                 mask_fusion: Optional[dict] = None,
                 mask_head: Optional[dict] = None,
                 loss_box: dict = dict(type='mmdet.SmoothL1Loss'),
                 loss_mask: dict = dict(type='HardPixelBCELoss'),
                 loss_iou: Optional[dict] = None,
                 loss_dice: Optional[dict] = None,
                 train_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if (mask_fusion is None) != (mask_head is None):
            raise ValueError('mask_fusion and mask_head go together: give '
                             'both, or None for both')
        self.box_fusion = MODELS.build(box_fusion)
        self.box_head = MODELS.build(box_head)
        self.with_mask = mask_head is not None
        if self.with_mask:
            self.mask_fusion = MODELS.build(mask_fusion)
            self.mask_head = MODELS.build(mask_head)
            self.loss_mask = MODELS.build(loss_mask)
            self._check_detail()
        self.loss_box = MODELS.build(loss_box)
        self.loss_iou = MODELS.build(loss_iou) if loss_iou else None
        self.loss_dice = MODELS.build(loss_dice) if loss_dice else None
        self.train_cfg = dict(
            num_rois=16,
            pos_iou_thr=0.5,
            search_size=SEARCH_SIZE,
            min_size=MIN_SIZE,
            mask_scale=1.)
        self.train_cfg.update(train_cfg or {})

    def _check_detail(self) -> None:
        given = getattr(self.mask_fusion, 'detail_channels', 0)
        detail = getattr(self.mask_head, 'detail', None)
        taken = 0 if detail is None else detail.in_channels
        if given != taken:
            raise ValueError(
                f'mask_fusion gives details of {given} channels '
                f'(detail_channels), and mask_head takes {taken} '
                '(detail.in_channels, 0 for detail=None): give both the same')

    @property
    def with_detail(self) -> bool:
        """bool: Whether outlines are corrected, see ``MaskDetailHead``."""
        return (self.with_mask
                and getattr(self.mask_head, 'detail', None) is not None)

    def forward(self, template_feats: Feats, search_feats: Feats,
                low_level_feats: Feats) -> Tuple[Tensor, Optional[Tensor]]:
        """Fuse the features that RoIs are pooled from.

        Args:
            template_feats (tuple[Tensor]): Siamese neck outputs, each
                (N, C, 7, 7).
            search_feats (tuple[Tensor]): Siamese neck outputs, each
                (N, C, 31, 31).
            low_level_feats (tuple[Tensor]): The search crop's stem and
                stage 1.

        Returns:
            tuple[Tensor, Tensor | None]: ``fused_box`` (N, C', 25, 25) and
            ``fused_mask`` (N, C'', 63, 63), None without a mask head.
        """
        fused_box = self.box_fusion(template_feats, search_feats)
        return fused_box, self.fuse_mask(template_feats, search_feats,
                                         low_level_feats, fused_box)

    def fuse_mask(self,
                  template_feats: Feats,
                  search_feats: Feats,
                  low_level_feats: Feats,
                  fused_box: Optional[Tensor] = None) -> Optional[Tensor]:
        """Fuse the mask's feature alone.

        Args:
            template_feats (tuple[Tensor]): As for :meth:`forward`.
            search_feats (tuple[Tensor]): As for :meth:`forward`.
            low_level_feats (tuple[Tensor]): As for :meth:`forward`.
            fused_box (Tensor, optional): (N, C', 25, 25), if it is there;
                else it is made where the mask needs it. Defaults to None.

        Returns:
            Tensor | None: ``fused_mask`` (N, C'', 63, 63), None without a
            mask head.
        """
        if not self.with_mask:
            return None
        if fused_box is None and self.mask_fusion.uses_correlation:
            fused_box = self.box_fusion(template_feats, search_feats)
        return self.mask_fusion(low_level_feats, search_feats, fused_box)

    def predict_delta(self, fused_box: Tensor, rois: Tensor) -> Tensor:
        """Predict how each RoI moves to the target's box.

        Args:
            fused_box (Tensor): (N, C, 25, 25).
            rois (Tensor): (R, 5), batch index and xyxy in crop pixels.

        Returns:
            Tensor: (R, 4), normalised (dx, dy, dw, dh).
        """
        return self.box_head(fused_box, rois)

    def predict_mask(self, fused_mask: Tensor, rois: Tensor) -> Tensor:
        """Predict the target's mask over each RoI.

        Args:
            fused_mask (Tensor): (N, C, 63, 63).
            rois (Tensor): (R, 5), batch index and xyxy in crop pixels.

        Returns:
            Tensor: (R, 1, 64, 64) logits.
        """
        return self.mask_head(fused_mask, rois)

    def predict_box(self, fused_box: Tensor, box: Tensor) -> Tensor:
        """Refine one box per image.

        Args:
            fused_box (Tensor): (N, C, 25, 25).
            box (Tensor): (N, 4), cxcywh in crop pixels, clipped to the crop.

        Returns:
            Tensor: (N, 4), cxcywh in crop pixels.
        """
        index = torch.arange(len(box), device=box.device)
        delta = self.predict_delta(fused_box, box_rois(index, box))
        return self.box_head.decode(box, delta.to(box))

    def sample_rois(self, proposals: Tensor, gt_bboxes: Tensor,
                    positive: Tensor) -> SampledRoIs:
        """Draw the RoIs to train on, of all images at once.

        Args:
            proposals (Tensor): (N, K, 4), cxcywh in crop pixels: all anchors
                decoded, detached.
            gt_bboxes (Tensor): (N, 4), xyxy in crop pixels.
            positive (Tensor): (N,) bool; others give no RoI. Like
                ``gt_bboxes`` best on the CPU: how many RoIs there will be
                depends on both, and a device would be waited for.

        Returns:
            SampledRoIs: ``num_rois`` per positive image, those of an image
            side by side; some repeat where fewer overlap enough. The ground
            truth itself is always eligible, unless it has no area: such an
            image gives no RoI.
        """
        return sample_rois(self.train_cfg, proposals, gt_bboxes, positive)

    def loss(self, feats: Tuple[Tensor, Optional[Tensor]], proposals: Tensor,
             gt_bboxes: Tensor, positive: Tensor,
             gt_masks: List[Optional[Tensor]]) -> Dict[str, Tensor]:
        """Losses of the refinement, of positive pairs only.

        Means are over the RoIs of all processes: their losses' mean is the
        loss of one process that has all pairs.

        Args:
            feats (tuple[Tensor, Tensor | None]): From :meth:`forward`.
            proposals (Tensor): (N, K, 4), cxcywh in crop pixels, detached.
            gt_bboxes (Tensor): (N, 4), xyxy in crop pixels, best on the CPU.
            positive (Tensor): (N,) bool, best on the CPU.
            gt_masks (list[Tensor | None]): N masks (H, W), on any device,
                None where the sample has none.

        Returns:
            dict[str, Tensor]: ``loss_refine_box``, ``loss_refine_mask``,
            ``loss_refine_iou`` and ``loss_refine_dice`` if they are asked for
            and, to be logged, ``proposal_iou``, ``refined_iou``, ``mask_iou``
            (the last three are left out where nothing was sampled).
        """
        fused_box, fused_mask = feats
        sampled = self.sample_rois(proposals, gt_bboxes, positive)
        losses = self._loss_box(fused_box, sampled)
        if self.with_mask:
            losses.update(self._loss_mask(fused_mask, sampled, gt_masks))
        return losses

    def _loss_box(self, fused_box: Tensor,
                  sampled: SampledRoIs) -> Dict[str, Tensor]:
        # Waits for all processes, so it comes before any of them returns.
        num_rois = reduce_mean(
            torch.full((), float(len(sampled.rois)), device=fused_box.device))
        if not len(sampled.rois):
            losses = dict(loss_refine_box=_untouched(self.box_head, fused_box))
            if self.loss_iou is not None:
                losses['loss_refine_iou'] = fused_box.sum() * 0
            return losses
        boxes = bbox_xyxy_to_cxcywh(sampled.rois[:, 1:])
        targets = self.box_head.encode(boxes,
                                       bbox_xyxy_to_cxcywh(sampled.gt_bboxes))
        rois = box_rois(sampled.rois[:, 0], boxes)
        deltas = self.predict_delta(fused_box, rois).float()
        refined = bbox_cxcywh_to_xyxy(self.box_head.decode(boxes, deltas))
        with torch.no_grad():
            before = box_iou(sampled.rois[:, 1:], sampled.gt_bboxes)
            after = box_iou(refined, sampled.gt_bboxes)
        losses = dict(
            loss_refine_box=self.loss_box(
                deltas, targets, avg_factor=num_rois),
            proposal_iou=before.mean(),
            refined_iou=after.mean())
        if self.loss_iou is not None:
            losses['loss_refine_iou'] = self.loss_iou(
                refined, sampled.gt_bboxes, avg_factor=num_rois)
        return losses

    def _loss_mask(self, fused_mask: Tensor, sampled: SampledRoIs,
                   gt_masks: List[Optional[Tensor]]) -> Dict[str, Tensor]:
        known = [i for i, image in enumerate(sampled.images)
                 if gt_masks[image] is not None]
        device = fused_mask.device
        num_images = max(len(sampled.images), 1)
        rois = sampled.rois.view(
            num_images,
            len(sampled.rois) // num_images, 5)
        rois = rois[upload(torch.tensor(known, dtype=torch.long), device)]
        num_rois, rois = rois.shape[1], rois.flatten(0, 1)
        rois = scaled_rois(rois, self.train_cfg['mask_scale'])
        # Without RoIs too: synchronised norms and the loss wait for all
        # processes.
        logits = self.predict_mask(fused_mask, rois)
        # Waits for all processes, so it comes before any of them returns.
        num_masks = None if self.loss_dice is None else reduce_mean(
            torch.full((), float(len(rois)), device=device))
        if not len(rois):
            losses = dict(
                loss_refine_mask=self.loss_mask(logits, logits.detach()) +
                _untouched(self.mask_head, fused_mask))
            if self.loss_dice is not None:
                losses['loss_refine_dice'] = fused_mask.sum() * 0
            return losses
        # No more masks than are asked for, in one copy.
        masks = upload(
            torch.stack([gt_masks[sampled.images[i]] for i in known]), device)
        slot = torch.arange(len(known), device=device)
        # Older PyTorch waits for the device to know the length.
        slot = slot.repeat_interleave(num_rois, output_size=len(rois))
        slot = slot.to(rois)[:, None]
        # Boxes count from pixel centres, crop_masks from pixel edges.
        edges = torch.cat([slot, rois[:, 1:] + 0.5], 1)
        targets = crop_masks(masks, edges, self.mask_head.mask_size)
        with torch.no_grad():
            predicted, truth = logits > 0, targets > 0.5
            intersection = (predicted & truth).flatten(1).sum(1)
            union = (predicted | truth).flatten(1).sum(1)
            iou = intersection.float() / union.clamp(min=1).float()
        losses = dict(
            loss_refine_mask=self.loss_mask(logits, targets),
            mask_iou=iou.mean())
        if self.loss_dice is not None:
            losses['loss_refine_dice'] = self.loss_dice(
                logits[:, 0].float(), targets[:, 0], avg_factor=num_masks)
        return losses
