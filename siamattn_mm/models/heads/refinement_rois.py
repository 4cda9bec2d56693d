"""RoIs of the refinement: their boxes, what is drawn, and their masks."""
from typing import Any, Dict, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from torch import Tensor

from siamattn_mm.utils.image_draws import draw_order, first_candidates

from ..ops.box_overlaps import spent_centre_iou
from ..ops.constants import upload


class SampledRoIs(NamedTuple):
    """RoIs drawn for training.

    Attributes:
        rois (Tensor): (R, 5), batch index and xyxy in crop pixels.
        gt_bboxes (Tensor): (R, 4), xyxy; the ground truth of each.
        images (tuple[int, ...]): Images that have RoIs, in their order.
    """
    rois: Tensor
    gt_bboxes: Tensor
    images: Tuple[int, ...] = ()


def clip_to_crop(boxes: Tensor, search_size: int, min_size: float) -> Tensor:
    """Clip the centre into the crop and the size to ``min_size`` or more.

    Args:
        boxes (Tensor): (..., 4), cxcywh in crop pixels.
        search_size (int): Side of the crop.
        min_size (float): Smallest width and height.

    Returns:
        Tensor: Same shape; centres in [0, search_size - 1], sizes in
        [min_size, search_size - 1].
    """
    return torch.stack(_clipped(boxes, search_size, min_size), dim=-1)


def _clipped(boxes: Tensor, search_size: int,
             min_size: float) -> Tuple[Tensor, ...]:
    """What :func:`clip_to_crop` gives: cx, cy, w, h, (...) each."""
    last = search_size - 1
    return tuple(
        values.clamp(low, last)
        for values, low in zip(boxes.unbind(-1), (0, 0, min_size, min_size)))


def box_rois(index: Tensor, boxes: Tensor) -> Tensor:
    """RoIs that the box head pools, in training and tracking alike.

    A box of n pixels reaches from its first to its last pixel's centre.

    Args:
        index (Tensor): (R,), the image of each box.
        boxes (Tensor): (R, 4), cxcywh in crop pixels.

    Returns:
        Tensor: (R, 5), batch index and xyxy in crop pixels.
    """
    half = 0.5 * boxes[:, 2:] - 0.5
    return torch.cat([
        index[:, None].to(boxes), boxes[:, :2] - half, boxes[:, :2] + half
    ],
                     dim=1)


def scaled_rois(rois: Tensor, scale: float) -> Tensor:
    """Make RoIs larger around their centres.

    Args:
        rois (Tensor): (R, 5), batch index and xyxy.
        scale (float): Their sides are so many times as long.

    Returns:
        Tensor: (R, 5), likewise.
    """
    if scale == 1:
        return rois
    grown = (rois[:, 3:] - rois[:, 1:3]) * ((scale - 1) / 2)
    return torch.cat([rois[:, :1], rois[:, 1:3] - grown, rois[:, 3:] + grown],
                     1)


def crop_masks(masks: Tensor, rois: Tensor,
               mask_size: Tuple[int, int]) -> Tensor:
    """Cut the ground-truth mask out at each RoI, nearest neighbour.

    Args:
        masks (Tensor): (N, H, W), 0 or 1.
        rois (Tensor): (R, 5), batch index and xyxy in pixels; pixel i covers
            [i, i + 1).
        mask_size (tuple[int, int]): Height and width of the result.

    Returns:
        Tensor: (R, 1, *mask_size) float; 0 outside the crop.
    """
    height, width = mask_size
    x1, y1, x2, y2 = rois[:, 1:].t()
    u = (torch.arange(width, device=rois.device) + 0.5) / width
    v = (torch.arange(height, device=rois.device) + 0.5) / height
    x = (x1[:, None] + u * (x2 - x1)[:, None]).floor().long()
    y = (y1[:, None] + v * (y2 - y1)[:, None]).floor().long()
    inside_x = (x >= 0) & (x < masks.shape[2])
    inside_y = (y >= 0) & (y < masks.shape[1])
    index = rois[:, 0].long()[:, None, None]
    values = masks[index,
                   y.clamp(0, masks.shape[1] - 1)[:, :, None],
                   x.clamp(0, masks.shape[2] - 1)[:, None, :]]
    inside = inside_y[:, :, None] & inside_x[:, None, :]
    return (values.float() * inside)[:, None]


def sample_rois(train_cfg: Dict[str, Any], proposals: Tensor,
                gt_bboxes: Tensor, positive: Tensor) -> SampledRoIs:
    """Draw the RoIs to train on, of all images at once.

    Args:
        train_cfg (dict): ``num_rois``, ``pos_iou_thr``, ``search_size`` and
            ``min_size``; see ``RefinementHead``.
        proposals (Tensor): (N, K, 4), cxcywh in crop pixels, detached.
        gt_bboxes (Tensor): (N, 4), xyxy in crop pixels, best on the CPU.
        positive (Tensor): (N,) bool, best on the CPU.

    Returns:
        SampledRoIs: See ``RefinementHead.sample_rois``.
    """
    cfg, device = train_cfg, proposals.device
    gt_bboxes = gt_bboxes.float()
    # From the seed of the batch, however many images give RoIs.
    draws = draw_order(len(proposals), proposals.shape[1] + 1)
    # Without an area there is nothing to be relative to.
    images = (positive.cpu() & (gt_bboxes[:, 2:] > gt_bboxes[:, :2]).all(
        1).cpu()).nonzero()[:, 0]
    if not len(images):
        return SampledRoIs(
            proposals.new_zeros((0, 5)), proposals.new_zeros((0, 4)))
    order, starts = (upload(part, device) for part in draws)
    index = upload(images, device)
    gt = upload(gt_bboxes, device)
    # Of all images: to copy the boxes of some takes longer.
    overlaps = spent_centre_iou(
        _clipped(proposals.float(), cfg['search_size'], cfg['min_size']),
        gt.t()[..., None])
    # The last one is the ground truth, however small it is.
    eligible = F.pad(overlaps >= cfg['pos_iou_thr'], (0, 1), value=True)
    # A third of the time of `eligible[:, order]`.
    eligible = eligible.gather(1, order.expand(len(eligible), -1))
    picked, _ = first_candidates(eligible, starts, cfg['num_rois'])
    picked, gt = order[picked[index]], gt[index][:, None]
    known = picked.clamp(max=proposals.shape[1] - 1)
    boxes = bbox_cxcywh_to_xyxy(
        clip_to_crop(proposals[index[:, None], known].float(),
                     cfg['search_size'], cfg['min_size']))
    boxes = torch.where((picked > known)[..., None], gt, boxes)
    rois = torch.cat(
        [index[:, None, None].expand_as(boxes[..., :1]).to(boxes), boxes],
        2)
    return SampledRoIs(
        rois.flatten(0, 1),
        gt.expand_as(boxes).flatten(0, 1), tuple(images.tolist()))
