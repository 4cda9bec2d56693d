"""The SiamAttn model: its parts, losses and sessions."""
import inspect
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.model import initialize
from mmtrack.registry import MODELS
from torch import Tensor

from siamattn_mm.torch_compat import check_can_compile

from ..cuda_graphs import GraphedRuntime
from ..ops.prepare import prepare_for_inference
from ..task_modules.online import build_parts
from ..trackers.mmtrack_adapter import VideoPredictor
from ..trackers.runtime import TorchRuntime
from ..trackers.session import TrackingSession
from ..trackers.tracking_config import TrackingConfig, refuse_unknown
from .freezing import FrozenParts
from .network import SiamAttnNetwork


@MODELS.register_module()
class SiamAttn(FrozenParts, VideoPredictor, SiamAttnNetwork):
    """Deformable siamese attention network (CVPR 2020).

    Backbone and neck run per branch, the siamese neck lets the branches
    interact, the RPN head proposes one box, the refinement head refines and
    segments it. Each part is a slot of the config.

    Args:
        backbone (dict): Its first ``num_low_level`` outputs bypass the neck.
        neck (dict, optional): Per branch. Defaults to None.
        siamese_neck (dict): Takes both branches.
            Defaults to dict(type='IdentitySiameseNeck').
        head (dict): The RPN head.
        refine_head (dict, optional): None tracks with the proposal alone.
            Defaults to None.
        online (Sequence[dict], optional): What learns from the video, in this
            order: parts such as ``CorrelationFilter``; see
            ``task_modules/online.py``. Defaults to None.
        num_low_level (int): Defaults to 2: stem and stage 1.
        train_cfg (dict): ``rpn`` and, optionally, ``refine``.
        test_cfg (dict): See :class:`TrackingConfig`.
        frozen_modules (list[str] | str, optional): Parts that are not
            trained, by their names in the model, such as
            ``'refine_head.box_head'``; norms in them keep their statistics.
            Defaults to None.
        data_preprocessor (dict): Defaults to
            dict(type='SOTDataPreprocessor').
        optimize (bool): False runs everything the plain way, with mmcv's
            deformable conv: what optimisations are measured against.
            Defaults to True.
        init_cfg (dict, optional): Defaults to None.
        **unknown: Refused, by a message that says what was meant.

    Raises:
        ValueError: If ``test_cfg`` or an argument is unknown, or as
            :func:`build_parts`.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 train_cfg: dict,
                 test_cfg: dict,
                 neck: Optional[dict] = None,
                 siamese_neck: dict = dict(type='IdentitySiameseNeck'),
                 refine_head: Optional[dict] = None,
                 online: Optional[Sequence[dict]] = None,
                 num_low_level: int = 2,
                 frozen_modules: Optional[Union[List[str], str]] = None,
                 data_preprocessor: dict = dict(type='SOTDataPreprocessor'),
                 optimize: bool = True,
                 init_cfg: Optional[dict] = None,
                 **unknown: Any) -> None:
        refuse_unknown(unknown, ARGUMENTS, 'model')
        cfg = TrackingConfig.from_cfg(test_cfg)
        if cfg.compile:
            check_can_compile()
        super().__init__(
            backbone,
            neck,
            head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg)
        self.num_low_level = num_low_level
        self.siamese_neck = MODELS.build(siamese_neck)
        if refine_head is not None:
            self.refine_head = MODELS.build(
                refine_head,
                # Masks are of the same RoIs in training and in tracking.
                default_args=dict(train_cfg={
                    'mask_scale': cfg.refine.mask_scale,
                    **(train_cfg.get('refine') or {})
                }))
        self.online = build_parts(online)
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        prepare_for_inference(self, optimize, cfg.fold_norms
                              and not cfg.compile)

    @property
    def makes_masks(self) -> bool:
        """bool: Whether the target is segmented."""
        return self.with_refine_head and self.refine_head.with_mask

    @property
    def parts_left_out(self) -> Tuple[str, ...]:
        """tuple[str]: What the names of weights begin with whose parts the
        config leaves out; a checkpoint may have them."""
        if not self.with_refine_head:
            return ('refine_head.', )
        if not self.refine_head.with_mask:
            return ('refine_head.mask_fusion.', 'refine_head.mask_head.')
        if not self.refine_head.with_detail:
            return ('refine_head.mask_fusion.detail_conv.',
                    'refine_head.mask_head.detail.')
        return ()

    def new_session(self) -> TrackingSession:
        """Begin a video.

        Returns:
            TrackingSession: With this model as its network, and its
            ``test_cfg`` as it is now.
        """
        cfg = self.tracking_cfg
        graphed = self.paths.fast and cfg.cuda_graphs and not cfg.compile
        runtime = (GraphedRuntime if graphed else TorchRuntime)(self, cfg)
        return TrackingSession(runtime, cfg)

    def prepare(self) -> None:
        """Take the fast paths; once for each video.

        What ``test_cfg`` says of ``fold_norms`` and ``compile`` is looked at
        again, so that it may be changed between two videos.
        """
        cfg = self.tracking_cfg
        prepare_for_inference(self, self.paths.fast, cfg.fold_norms,
                              cfg.compile)

    def init_weights(self) -> None:
        """Initialise as SiamRPN++ does, but keep what must start at zero.

        mmtrack's ``SiamRPN`` resets every conv of neck and head to torch's
        default, which is what the new parts were built with. These follow
        their own ``init_cfg`` alone: attention scalars, offset convs and
        offset layers stay zero. It also ignores an ``init_cfg`` of the whole
        model; here it comes last.
        """
        super().init_weights()
        self.siamese_neck.init_weights()
        if self.with_refine_head:
            self.refine_head.init_weights()
        if self.init_cfg:
            initialize(self, self.init_cfg)

    def loss(self, inputs: Dict[str, Tensor], data_samples: list,
             **kwargs) -> Dict[str, Tensor]:
        """Losses of a batch of pairs.

        Args:
            inputs (dict[str, Tensor]): ``img`` (N, 1, 3, 127, 127) templates
                and ``search_img`` (N, 1, 3, 255, 255), preprocessed.
            data_samples (list[TrackDataSample]): Their
                ``search_gt_instances`` have ``bboxes`` (1, 4), xyxy in crop
                pixels, ``labels`` (1,), 1 for a positive pair, and, where
                there is one, ``masks`` (``BitmapMasks``). Best on the CPU,
                where ``SOTDataPreprocessor`` leaves them: a GPU is waited
                for otherwise.

        Returns:
            dict[str, Tensor]: Losses by name.
        """
        neck_z = self.forward_template(inputs['img'][:, 0])
        low_level, neck_x = self.forward_search(inputs['search_img'][:, 0])
        dsa_z, dsa_x = self.siamese_neck(neck_z, neck_x)
        cls_score, bbox_pred = self.head(dsa_z, dsa_x)
        targets = [sample.search_gt_instances for sample in data_samples]
        losses = self.head.loss_by_feat(cls_score, bbox_pred, None, targets,
                                        [s.metainfo for s in data_samples])
        if self.with_refine_head:
            proposals = self.head.decode(bbox_pred.detach().float())
            proposals[..., :2] += self.tracking_cfg.search_size // 2
            losses.update(
                self.refine_head.loss(
                    self.refine_head(dsa_z, dsa_x, low_level), proposals,
                    torch.cat([t.bboxes for t in targets]),
                    torch.cat([t.labels for t in targets]) > 0, [
                        t.masks.to_tensor(torch.uint8, 'cpu')[0]
                        if 'masks' in t else None for t in targets
                    ]))
        return losses


# Of a config's model; the rest is refused.
ARGUMENTS = tuple(inspect.signature(SiamAttn.__init__).parameters)[1:-1]
