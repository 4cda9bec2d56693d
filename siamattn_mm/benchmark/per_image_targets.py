"""RoIs and masks one image after the other, to compare with.

It is what this project did before it made them for a whole batch, with a
state of the random generator for each image; the anchors' loop is
``SiamAttnRPNHead.targets_one_by_one``. Whatever is drawn differs from what a
whole batch draws; how much, and from what, does not.
"""
from typing import Any, List, Optional

import torch
import torch.nn.functional as F
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy, bbox_overlaps
from torch import Tensor

from siamattn_mm.models.heads.refinement_rois import (
    SampledRoIs,
    clip_to_crop,
    crop_masks,
)
from siamattn_mm.utils.image_draws import image_keys, own_numbers


def sample_rois(train_cfg: dict, proposals: Tensor, gt_bboxes: Tensor,
                positive: Tensor) -> SampledRoIs:
    """RoIs to train on.

    Args:
        train_cfg (dict): Of the refinement head.
        proposals (Tensor): (N, K, 4), cxcywh in crop pixels.
        gt_bboxes (Tensor): (N, 4), xyxy in crop pixels.
        positive (Tensor): (N,) bool.

    Returns:
        SampledRoIs: As of ``RefinementHead.sample_rois``.
    """
    rois, targets, images = [], [], []
    keys = image_keys(len(proposals)).tolist()
    for i in positive.nonzero().flatten().tolist():
        boxes = bbox_cxcywh_to_xyxy(
            clip_to_crop(proposals[i].float(), train_cfg['search_size'],
                         train_cfg['min_size']))
        gt = gt_bboxes[i:i + 1].to(boxes)
        if not (gt[:, 2:] > gt[:, :2]).all():
            continue
        boxes = torch.cat([boxes, gt])
        overlaps = bbox_overlaps(boxes, gt)[:, 0]
        overlaps[-1] = 1.  # however small the ground truth is
        eligible = (overlaps >= train_cfg['pos_iou_thr']).nonzero().flatten()
        with own_numbers(keys[i], eligible.device):
            order = torch.randperm(len(eligible), device=eligible.device)
        picked = eligible[order].repeat(
            -(-train_cfg['num_rois'] // len(eligible)))
        picked = picked[:train_cfg['num_rois']]
        rois.append(F.pad(boxes[picked], (1, 0), value=i))
        targets.append(gt.expand(len(picked), 4))
        images.append(i)
    if not rois:
        return SampledRoIs(
            proposals.new_zeros((0, 5)), proposals.new_zeros((0, 4)))
    return SampledRoIs(torch.cat(rois), torch.cat(targets), tuple(images))


def mask_targets(mask_head: Any, sampled: SampledRoIs,
                 gt_masks: List[Optional[Tensor]]) -> Tensor:
    """Masks to train on.

    Args:
        mask_head (Any): Has ``mask_size``.
        sampled (SampledRoIs): From :func:`sample_rois`.
        gt_masks (list[Tensor | None]): N masks (H, W), on the device.

    Returns:
        Tensor: (R', 1, *mask_size), of the images that have a mask.
    """
    rois = sampled.rois
    has_mask = torch.tensor([mask is not None for mask in gt_masks],
                            device=rois.device)
    rois = rois[has_mask[rois[:, 0].long()]]
    blank = torch.zeros_like(next(m for m in gt_masks if m is not None))
    masks = torch.stack([blank if m is None else m for m in gt_masks])
    edges = rois + rois.new_tensor([0, 0.5, 0.5, 0.5, 0.5])
    return crop_masks(masks, edges, mask_head.mask_size)
