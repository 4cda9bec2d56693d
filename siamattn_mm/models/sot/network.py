"""From crops to maps: what runs at every frame."""
from typing import Any, Dict, Optional, Sequence, Tuple

import torch
from mmtrack.models.sot import SiamRPN
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from siamattn_mm.utils.stages import stage

from ..ops.fused_conv import laid_out_for
from ..ops.paths import HasPaths
from ..trackers.runtime import PartFeatures
from ..trackers.tracking_config import TrackingConfig

Feats = Tuple[Tensor, ...]
# Images whose maps stay in a CPU's cache.
CACHED_IMAGES = 2


class SiamAttnNetwork(HasPaths, SiamRPN):
    """The forward passes of a model that has all parts.

    It knows no video: what comes in is a batch of crops.
    """

    @property
    def tracking_cfg(self) -> TrackingConfig:
        """TrackingConfig: What ``test_cfg`` says now."""
        return TrackingConfig.from_cfg(self.test_cfg)

    @property
    def with_refine_head(self) -> bool:
        """bool: Whether proposals are refined."""
        return hasattr(self, 'refine_head')

    def extract_feat(self, crops: Tensor) -> Tuple[Feats, Feats]:
        """Run backbone and neck on one branch.

        Args:
            crops (Tensor): (N, 3, H, W), preprocessed.

        Returns:
            tuple[tuple[Tensor], tuple[Tensor]]: Low-level maps and neck
            outputs.
        """
        # A frozen backbone keeps nothing for a gradient, and its norms fold.
        trains = any(p.requires_grad for p in self.backbone.parameters())
        with stage('backbone'), torch.set_grad_enabled(
                torch.is_grad_enabled() and trains):
            outs = self._backbone(crops)
        low_level = tuple(outs[:self.num_low_level])
        feats = tuple(outs[self.num_low_level:])
        if self.with_neck:
            with stage('neck'):
                feats = tuple(self.neck(feats))
        return low_level, feats

    def _backbone(self, crops: Tensor) -> Sequence[Tensor]:
        """Run the backbone, on a CPU on few images at a time.

        Its early maps of a whole batch are larger than any cache. Only where
        nothing is kept for a gradient, and no norm looks at the batch.
        """
        if (not self.paths.fast or crops.device.type != 'cpu'
                or torch.is_grad_enabled() or len(crops) <= CACHED_IMAGES
                or any(isinstance(m, _BatchNorm) and m.training
                       for m in self.backbone.modules())):
            return self.backbone(crops)
        parts = [self.backbone(part) for part in crops.split(CACHED_IMAGES)]
        return [torch.cat(maps) for maps in zip(*parts)]

    def forward_template(self, z_img: Tensor) -> Feats:
        """Features of the template.

        Args:
            z_img (Tensor): (N, 3, 127, 127), preprocessed.

        Returns:
            tuple[Tensor]: Neck outputs, cropped to the centre:
            (N, C, 7, 7) each.
        """
        cfg, feats = self.tracking_cfg, []
        size = cfg.center_size
        with laid_out_for(cfg.search_size / cfg.exemplar_size):
            outs = self.extract_feat(z_img)[1]
        for feat in outs:
            if size is not None:
                start = (feat.shape[-1] - size) // 2
                feat = feat[..., start:start + size, start:start + size]
            feats.append(feat)
        return tuple(feats)

    def forward_search(self, x_img: Tensor) -> Tuple[Feats, Feats]:
        """Features of the search crop.

        Args:
            x_img (Tensor): (N, 3, 255, 255), preprocessed.

        Returns:
            tuple[tuple[Tensor], tuple[Tensor]]: Low-level maps and neck
            outputs, the latter (N, C, 31, 31) each.
        """
        return self.extract_feat(x_img)

    def part_features(self, low_level: Feats, neck_x: Feats) -> PartFeatures:
        """What the parts that learn from the video want to know.

        Args:
            low_level (tuple[Tensor]): From :meth:`forward_search`.
            neck_x (tuple[Tensor]): From there.

        Returns:
            tuple[tuple[Tensor]]: Of each part, (N, ...) each.
        """
        features = []
        for part in self.online:
            with stage(part.stage):
                features.append(part.features(low_level, neck_x))
        return tuple(features)

    def fuse(self, dsa_z: Feats, dsa_x: Feats, low_level: Feats,
             box: bool) -> Tuple[Optional[Tensor], Optional[Tensor]]:
        """Fuse the features that refinement pools from.

        Args:
            dsa_z (tuple[Tensor]): Siamese neck outputs of the template.
            dsa_x (tuple[Tensor]): Those of the search crop.
            low_level (tuple[Tensor]): From :meth:`forward_search`.
            box (bool): Whether boxes are refined, or only segmented.

        Returns:
            tuple[Tensor | None, Tensor | None]: ``fused_box`` and
            ``fused_mask``; None for what there is not.
        """
        if not self.with_refine_head:
            return None, None
        with stage('fusion'):
            if box:
                return self.refine_head(dsa_z, dsa_x, low_level)
            return None, self.refine_head.fuse_mask(dsa_z, dsa_x, low_level)

    def _forward(self,
                 inputs: Dict[str, Tensor],
                 data_samples: Optional[list] = None) -> Dict[str, Any]:
        """Run the whole network, without any post-processing.

        Args:
            inputs (dict[str, Tensor]): ``template`` (N, 3, 127, 127) and
                ``search`` (N, 3, 255, 255), preprocessed crops (for the
                ResNet-50 models: BGR in 0..255).
            data_samples (list, optional): Not used.

        Returns:
            dict: ``cls_score`` (N, 2A, 25, 25), ``bbox_pred`` (N, 4A, 25,
            25), ``neck_z``, ``neck_x``, ``dsa_z``, ``dsa_x`` (tuples, one map
            per level) and, with a refinement head, ``fused_box`` and
            ``fused_mask`` (None without a mask head).

        Raises:
            ValueError: If a key is missing.
        """
        missing = {'template', 'search'} - set(inputs)
        if missing:
            raise ValueError(f'inputs lack {sorted(missing)}: mode="tensor" '
                             'takes dict(template=..., search=...)')
        neck_z = self.forward_template(inputs['template'])
        low_level, neck_x = self.forward_search(inputs['search'])
        dsa_z, dsa_x = self.siamese_neck(neck_z, neck_x)
        cls_score, bbox_pred = self.head(dsa_z, dsa_x)
        outs = dict(
            cls_score=cls_score,
            bbox_pred=bbox_pred,
            neck_z=neck_z,
            neck_x=neck_x,
            dsa_z=dsa_z,
            dsa_x=dsa_x)
        if self.with_refine_head:
            outs['fused_box'], outs['fused_mask'] = self.refine_head(
                dsa_z, dsa_x, low_level)
        return outs
