"""What another tracker says of the boxes, as a loss."""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmtrack.registry import MODELS
from torch import Tensor, nn

from ..ops.box_overlaps import box_giou, box_iou


class TeacherMaps(NamedTuple):
    """What a teacher says of N search crops, cell by cell.

    The middle cell is the crop's middle.

    Attributes:
        scores (Tensor): (N, H, W), 0..1.
        bboxes (Tensor): (N, H, W, 4), xyxy in crop pixels.
        stride (float): Distance of two cells in crop pixels.
    """
    scores: Tensor
    bboxes: Tensor
    stride: float = 16.


@MODELS.register_module()
class TeacherBoxLoss(nn.Module):
    """Let boxes follow those of a teacher, wherever it sees the target.

    Each anchor is to give the box that the teacher gives at the anchor's
    place, between its cells by interpolation. Of an image those anchors learn
    that fit the teacher's boxes best. The annotation has the last word: boxes
    that disagree with it teach nothing, nor does a pair of two objects.

    The loss is 1 - GIoU, and the distances of the edges in shares of the
    teacher's width and height. The idea of learning from another network's
    output: Hinton et al., *Distilling the Knowledge in a Neural Network*
    (https://arxiv.org/abs/1503.02531).

    Args:
        num (int): Most anchors of an image. Defaults to 32.
        min_score (float): The teacher's score at least. Defaults to 0.5.
        min_iou (float): Least overlap of anchor and teacher's box, and of the
            latter and the annotation. Defaults to 0.5.
        edge_weight (float): Of the edges' distances. Defaults to 0.5.
        loss_weight (float): Of all. Defaults to 1.
    """

    def __init__(self,
                 num: int = 32,
                 min_score: float = 0.5,
                 min_iou: float = 0.5,
                 edge_weight: float = 0.5,
                 loss_weight: float = 1.) -> None:
        super().__init__()
        self.num = num
        self.min_score = min_score
        self.min_iou = min_iou
        self.edge_weight = edge_weight
        self.loss_weight = loss_weight

    @torch.no_grad()
    def targets(self, anchors: Tensor, maps: TeacherMaps, gt_bboxes: Tensor,
                positive: Tensor, middle: float) -> tuple:
        """Choose the anchors that learn, and what.

        Args:
            anchors (Tensor): (K, 4), xyxy in crop pixels.
            maps (TeacherMaps): Of N crops.
            gt_bboxes (Tensor): (N, 4) annotations, xyxy in crop pixels.
            positive (Tensor): (N,) bool, whether it is a positive pair.
            middle (float): Of the crop, where the teacher's middle cell is.

        Returns:
            tuple[Tensor, Tensor, Tensor]: Places (N, S) of anchors, boxes
            (N, S, 4), xyxy, and weights (N, S), those of a mean over the
            images.
        """
        height, width = maps.scores.shape[-2:]
        centres = (anchors[:, :2] + anchors[:, 2:]) / 2 - middle
        # Side by side: a tensor of both sizes would be waited for.
        places = torch.stack([
            centres[:, axis] / ((cells - 1) / 2 * maps.stride)
            for axis, cells in enumerate((width, height))
        ], -1)
        values = torch.cat(
            [maps.bboxes.permute(0, 3, 1, 2), maps.scores[:, None]], 1)
        sampled = F.grid_sample(
            values,
            places[None, None].expand(len(values), -1, -1, -1),
            padding_mode='border',
            align_corners=True)[:, :, 0].transpose(1, 2)
        boxes, scores = sampled[..., :4], sampled[..., 4]
        fit = box_iou(boxes, anchors)
        learns = ((scores >= self.min_score) & (fit >= self.min_iou) &
                  positive[:, None] &
                  (box_iou(boxes, gt_bboxes[:, None]) >= self.min_iou))
        weights, index = (scores * fit * learns).topk(
            min(self.num, len(anchors)), dim=1)
        weights = weights / (
            weights.sum(1, keepdim=True).clamp(min=1e-6) * len(weights))
        return index, torch.take_along_dim(boxes, index[..., None],
                                           1), weights

    def forward(self, found: Tensor, wanted: Tensor,
                weights: Tensor) -> Tensor:
        """Compare boxes.

        Args:
            found (Tensor): (N, 4), xyxy.
            wanted (Tensor): (N, 4), xyxy.
            weights (Tensor): (N,).

        Returns:
            Tensor: A number, the weighted sum.
        """
        sides = (wanted[:, 2:] - wanted[:, :2]).clamp(min=1).repeat(1, 2)
        edges = ((found - wanted).abs() / sides).sum(1)
        each = 1 - box_giou(found, wanted) + self.edge_weight * edges
        return self.loss_weight * (each * weights).sum()
