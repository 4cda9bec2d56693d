"""Our parts inside other trackers."""
from typing import Dict, List, Optional, Tuple

import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from torch import Tensor

from siamattn_mm.structures.boxes import MIN_SIZE, SEARCH_SIZE

from .refinement_rois import clip_to_crop

Feats = Tuple[Tensor, ...]


@MODELS.register_module()
class SiamAttnPluginHead(BaseModule):
    """A head for mmtrack's ``SiamRPN``: its RPN head with our parts around.

    ``SiamRPN`` has no slot for a neck that sees both branches, nor for a
    refinement. This head offers them, behind the interface that it expects
    of a head. Only the box branch of the refinement is possible here, since
    ``SiamRPN`` passes no low-level maps on.

    Args:
        rpn_head (dict): Any head with the interface of mmtrack's
            ``SiameseRPNHead``; ``SiamAttnRPNHead`` where there is a
            refinement.
        siamese_neck (dict): Defaults to dict(type='IdentitySiameseNeck').
        refine_head (dict, optional): ``RefinementHead`` without a mask head.
            Defaults to None.
        train_cfg (dict, optional): Filled in by ``SiamRPN``, for the RPN
            head; a head without one cannot be trained.
        test_cfg (dict, optional): Filled in by ``SiamRPN``, for the RPN head.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If the refinement has a mask head.
    """

    def __init__(self,
                 rpn_head: dict,
                 siamese_neck: dict = dict(type='IdentitySiameseNeck'),
                 refine_head: Optional[dict] = None,
                 train_cfg: Optional[dict] = None,
                 test_cfg: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        if refine_head is not None and refine_head.get('mask_head'):
            raise ValueError('SiamRPN passes no low-level maps on, so '
                             'SiamAttnPluginHead refines boxes only: leave '
                             'mask_fusion and mask_head out of refine_head')
        self.search_size = (train_cfg or {}).get('search_size', SEARCH_SIZE)
        self.siamese_neck = MODELS.build(siamese_neck)
        self.rpn_head = MODELS.build(
            rpn_head,
            default_args=dict(train_cfg=train_cfg, test_cfg=test_cfg))
        if refine_head is not None:
            self.refine_head = MODELS.build(refine_head)

    def forward(self, template_feats: Feats,
                search_feats: Feats) -> Tuple[Tensor, Tensor]:
        """Run the siamese neck and the RPN head.

        Args:
            template_feats (tuple[Tensor]): Each (N, C, 7, 7).
            search_feats (tuple[Tensor]): Each (N, C, 31, 31).

        Returns:
            tuple[Tensor, Tensor]: ``cls_score`` (N, 2A, 25, 25) and
            ``bbox_pred`` (N, 4A, 25, 25).
        """
        return self.rpn_head(*self.siamese_neck(template_feats, search_feats))

    def loss(self, template_feats: Feats, search_feats: Feats,
             data_samples: List, **kwargs) -> Dict[str, Tensor]:
        """Losses of a batch of pairs.

        Args:
            template_feats (tuple[Tensor]): Each (N, C, 7, 7).
            search_feats (tuple[Tensor]): Each (N, C, 31, 31).
            data_samples (list[TrackDataSample]): With
                ``search_gt_instances``.

        Returns:
            dict[str, Tensor]: The RPN head's and the refinement's losses.
        """
        z, x = self.siamese_neck(template_feats, search_feats)
        cls_score, bbox_pred = self.rpn_head(z, x)
        targets = [sample.search_gt_instances for sample in data_samples]
        losses = self.rpn_head.loss_by_feat(
            cls_score, bbox_pred, None, targets,
            [sample.metainfo for sample in data_samples])
        if hasattr(self, 'refine_head'):
            proposals = self.rpn_head.decode(bbox_pred.detach().float())
            proposals[..., :2] += self.search_size // 2
            losses.update(
                self.refine_head.loss(
                    self.refine_head(z, x, ()), proposals,
                    torch.cat([t.bboxes for t in targets]),
                    torch.cat([t.labels for t in targets]) > 0,
                    [None] * len(targets)))
        return losses

    def predict(self, template_feats: Feats, search_feats: Feats,
                data_samples: List, prev_bbox: Tensor,
                scale_factor: Tensor) -> List[InstanceData]:
        """Predict one frame's box, as ``SiamRPN.track`` asks.

        Args:
            template_feats (tuple[Tensor]): Each (1, C, 7, 7).
            search_feats (tuple[Tensor]): Each (1, C, 31, 31).
            data_samples (list[TrackDataSample]): One; its ``ori_shape``
                bounds the box.
            prev_bbox (Tensor): (4,), cxcywh in image pixels.
            scale_factor (Tensor): Crop pixels per image pixel.

        Returns:
            list[InstanceData]: ``bboxes`` (1, 4), xyxy in image pixels, and
            ``scores``.
        """
        z, x = self.siamese_neck(template_feats, search_feats)
        cls_score, bbox_pred = self.rpn_head(z, x)
        metas = [sample.metainfo for sample in data_samples]
        results = self.rpn_head.predict_by_feat(
            cls_score,
            bbox_pred,
            prev_bbox=prev_bbox,
            scale_factor=scale_factor,
            batch_img_metas=metas)
        if hasattr(self, 'refine_head'):
            # From the image back into the crop, around whose centre the
            # last box lies.
            centre = self.search_size / 2
            box = results[0].bboxes[0]
            box = torch.cat([(box[:2] + box[2:]) / 2, box[2:] - box[:2]])
            shift = torch.cat([prev_bbox[:2], torch.zeros_like(prev_bbox[2:])])
            offset = box.new_tensor([centre, centre, 0, 0])
            crop_box = clip_to_crop((box - shift) * scale_factor + offset,
                                    self.search_size, MIN_SIZE)
            fused_box, _ = self.refine_head(z, x, ())
            refined = self.refine_head.predict_box(fused_box, crop_box[None])
            box = (refined[0] - offset) / scale_factor + shift
            height, width = metas[0]['ori_shape'][:2]
            box = self.rpn_head._bbox_clip(box, height, width)
            results[0].bboxes = torch.cat(
                [box[:2] - box[2:] / 2, box[:2] + box[2:] / 2])[None]
        return results
