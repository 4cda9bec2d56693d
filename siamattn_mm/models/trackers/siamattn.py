"""The SiamAttn tracker: glue between its parts."""
import time
from typing import (
    Any,
    ContextManager,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import cv2
import numpy as np
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.model import initialize
from mmengine.structures import InstanceData
from mmtrack.models.sot import SiamRPN
from mmtrack.registry import MODELS, TASK_UTILS
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from siamattn_mm.torch_compat import check_can_compile, compile_module
from siamattn_mm.utils.machine_load import LOAD

from ..heads import Proposal
from ..ops.folding import fold_norms
from ..ops.fused_conv import laid_out_for
from ..ops.onednn import suits_bf16
from ..ops.optimize import set_optimize
from ..task_modules.box_bias import box_bias, mean_bias, views
from ..task_modules.box_regressor import RegressorView
from ..task_modules.rivals import Candidates
from .crop import context_side, crop_image
from .mask_paste import (
    PastedMask,
    paste_mask,
    paste_mask_over_image,
    rotated_box,
)

Feats = Tuple[Tensor, ...]
PRECISIONS = ('fp32', 'bf16')
# Images whose maps stay in a CPU's cache.
CACHED_IMAGES = 2
# So many poor results in a row, and the target is lost.
LOST_AFTER = 3


class TrackResult(NamedTuple):
    """What the tracker says about one frame.

    Attributes:
        bbox (np.ndarray): (4,) float64, xywh in image pixels.
        score (float): Foreground probability of the chosen anchor, 0..1.
        pasted_mask (PastedMask, optional): None without a mask head.
        polygon (np.ndarray, optional): (4, 2) float64, corners of the
            rotated box; None without a mask head.
    """
    bbox: np.ndarray
    score: float
    pasted_mask: Optional[PastedMask]
    polygon: Optional[np.ndarray]


class TrackState(NamedTuple):
    """What is kept between frames.

    Attributes:
        box (np.ndarray): (4,) float64, cxcywh in image pixels.
        pad_value (tuple[float, ...]): The first frame's mean colour.
        template_feats (tuple[Tensor]): Neck outputs of the template.
        neck_state (Any): The siamese neck's state of the template; None if
            it is to be computed at every frame.
        filter_state (Any): The correlation filter's; None without one.
        bias (np.ndarray, optional): (4,), what boxes are corrected by; see
            ``models/task_modules/box_bias.py``.
        regressor_state (Tensor, optional): The box regressor's weights; None
            without one, and until they are learnt.
        rival_state (Any): Of the rival association; None without one.
        missing (int): For how many frames the target was not found.
    """
    box: np.ndarray
    pad_value: Tuple[float, ...]
    template_feats: Feats
    neck_state: Any
    filter_state: Any = None
    bias: Optional[np.ndarray] = None
    regressor_state: Optional[Tensor] = None
    rival_state: Any = None
    missing: int = 0


class View(NamedTuple):
    """What a search crop of the first frame teaches.

    Attributes:
        bbox (np.ndarray): (4,), what was found, cxcywh in crop pixels from
            the crop's middle.
        scale (float): Crop pixels per image pixel.
        spectrum (Tensor, optional): For the correlation filter.
        maps (tuple[Tensor], optional): For the box regressor.
    """
    bbox: np.ndarray
    scale: float
    spectrum: Optional[Tensor]
    maps: Optional[Feats]


class _Seen(NamedTuple):
    """What the network says about a search crop."""
    proposal: Proposal
    low_level: Feats
    dsa_z: Feats
    dsa_x: Feats
    spectrum: Optional[Tensor]
    maps: Optional[Feats]
    candidates: Optional[Candidates]
    side: int
    scale: float


@MODELS.register_module()
class SiamAttn(SiamRPN):
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
        correlation_filter (dict, optional): Learns the target online and
            helps to choose among proposals, such as ``CorrelationFilter``.
            Defaults to None.
        box_regressor (dict, optional): Learns in the first frame how boxes
            are to be corrected, such as ``RidgeBoxRegressor``.
            Defaults to None.
        rival_association (dict, optional): Follows what looks like the
            target, so as not to take it for the target, such as
            ``RivalAssociation``. Defaults to None.
        num_low_level (int): Defaults to 2: stem and stage 1.
        train_cfg (dict): ``rpn`` and, optionally, ``refine``.
        test_cfg (dict): ``exemplar_size``, ``search_size``,
            ``context_amount``, ``center_size`` (side to which template maps
            are cropped; None keeps them), ``rpn`` and ``refine`` (whose
            ``box`` False keeps the proposal's box: only the mask is of the
            refinement head then). ``rpn.filter_influence`` is the share of a
            correlation filter in the ranking, ``rpn.calibration`` (0) so much
            of the proposals' bias in the first frame is corrected in all.
            Around a result whose score is below ``rpn.hold_score`` (0) the
            target is not looked for in the next frame, but where it was
            before; after three of them it takes ``rpn.recover_score`` (the
            same) to go on. Convs and norms run as one while tracking, unless
            ``fold_norms`` is False; ``precision`` is ``'fp32'`` or
            ``'bf16'``, which is faster on CPUs with bfloat16 products (on
            one without, float32 is used, and a warning says so);
            ``compile`` True hands backbone and RPN head, in their plain form,
            to ``torch.compile``, which takes half a minute and a C++ compiler
            at the first frame; see docs/speed.md before.
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

    Raises:
        ValueError: If ``test_cfg.precision`` is unknown, or the correlation
            filter has no share.
    """

    def __init__(self,
                 backbone: dict,
                 head: dict,
                 train_cfg: dict,
                 test_cfg: dict,
                 neck: Optional[dict] = None,
                 siamese_neck: dict = dict(type='IdentitySiameseNeck'),
                 refine_head: Optional[dict] = None,
                 correlation_filter: Optional[dict] = None,
                 box_regressor: Optional[dict] = None,
                 rival_association: Optional[dict] = None,
                 num_low_level: int = 2,
                 frozen_modules: Optional[Union[List[str], str]] = None,
                 data_preprocessor: dict = dict(type='SOTDataPreprocessor'),
                 optimize: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(
            backbone,
            neck,
            head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg)
        precision_of(test_cfg)  # early
        if test_cfg and test_cfg.get('compile'):
            check_can_compile()
        self.num_low_level = num_low_level
        self.siamese_neck = MODELS.build(siamese_neck)
        if refine_head is not None:
            self.refine_head = MODELS.build(
                refine_head,
                default_args=dict(train_cfg=train_cfg.get('refine')))
        if correlation_filter and 'filter_influence' not in test_cfg['rpn']:
            raise ValueError('a model with a correlation filter needs '
                             'test_cfg.rpn.filter_influence, its share in '
                             'the ranking of proposals, 0..1')
        self._build_learners(correlation_filter, box_regressor,
                             rival_association)
        self._frozen: Tuple[str, ...] = ()
        if frozen_modules is not None:
            self.freeze_module(frozen_modules)
        self.optimize = optimize
        set_optimize(self, optimize)
        if self._folds_norms:
            fold_norms(self)
        self._compiled = False
        self._state: Optional[TrackState] = None

    def _build_learners(self,
                        correlation_filter: Optional[dict] = None,
                        box_regressor: Optional[dict] = None,
                        rival_association: Optional[dict] = None) -> None:
        """Build what learns from the video; each may be left out."""
        self.correlation_filter, self.box_regressor, self.rival_association = (
            config and TASK_UTILS.build(config)
            for config in (correlation_filter, box_regressor,
                           rival_association))

    @property
    def _folds_norms(self) -> bool:
        # torch.compile folds them itself.
        return (self.optimize and self.test_cfg.get('fold_norms', True)
                and not self.test_cfg.get('compile'))

    @property
    def with_refine_head(self) -> bool:
        """Whether proposals are refined."""
        return hasattr(self, 'refine_head')

    def freeze_module(self, module: Union[List[str], Tuple[str], str]) -> None:
        """Train everything but some parts.

        mmtrack's takes top-level parts alone, and their norms go on learning
        statistics.

        Args:
            module (list[str] | tuple[str] | str): Names of parts.

        Raises:
            ValueError: If the model has no such part.
        """
        names = (module, ) if isinstance(module, str) else tuple(module)
        for name in names:
            try:
                part = self.get_submodule(name)
            except AttributeError:
                raise ValueError(
                    f'frozen_modules has {name!r}, which the model has not: '
                    'its parts are '
                    f'{[n for n, _ in self.named_children()]}') from None
            part.requires_grad_(False)
        self._frozen += names
        self.train(self.training)

    def train(self, mode: bool = True) -> 'SiamAttn':
        """Switch the mode of all parts but the frozen ones.

        Args:
            mode (bool): True to train. Defaults to True.

        Returns:
            SiamAttn: Itself.
        """
        super().train(mode)
        for name in getattr(self, '_frozen', ()):
            self.get_submodule(name).eval()
        return self

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

    # -- network ----------------------------------------------------------

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
        with torch.set_grad_enabled(torch.is_grad_enabled() and trains):
            outs = self._backbone(crops)
        low_level = tuple(outs[:self.num_low_level])
        feats = tuple(outs[self.num_low_level:])
        if self.with_neck:
            feats = tuple(self.neck(feats))
        return low_level, feats

    def _backbone(self, crops: Tensor) -> Sequence[Tensor]:
        """Run the backbone, on a CPU on few images at a time.

        Its early maps of a whole batch are larger than any cache. Only where
        nothing is kept for a gradient, and no norm looks at the batch.
        """
        if (not self.optimize or crops.device.type != 'cpu'
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
        size = self.test_cfg.center_size
        feats = []
        scale = self.test_cfg.search_size / self.test_cfg.exemplar_size
        with laid_out_for(scale):
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

    # -- training ---------------------------------------------------------

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
        LOAD.check()
        neck_z = self.forward_template(inputs['img'][:, 0])
        low_level, neck_x = self.forward_search(inputs['search_img'][:, 0])
        dsa_z, dsa_x = self.siamese_neck(neck_z, neck_x)
        cls_score, bbox_pred = self.head(dsa_z, dsa_x)
        targets = [sample.search_gt_instances for sample in data_samples]
        losses = self.head.loss_by_feat(cls_score, bbox_pred, None, targets,
                                        [s.metainfo for s in data_samples])
        if self.with_refine_head:
            proposals = self.head.decode(bbox_pred.detach().float())
            proposals[..., :2] += self.test_cfg.search_size // 2
            losses.update(
                self.refine_head.loss(
                    self.refine_head(dsa_z, dsa_x, low_level), proposals,
                    torch.cat([t.bboxes for t in targets]),
                    torch.cat([t.labels for t in targets]) > 0, [
                        t.masks.to_tensor(torch.uint8, 'cpu')[0]
                        if 'masks' in t else None for t in targets
                    ]))
        return losses

    # -- tracking ---------------------------------------------------------

    def _crop(self, frame: np.ndarray, side: int, out_size: int,
              box: np.ndarray, pad_value: Sequence[float]) -> Tensor:
        crop = crop_image(frame, box[:2], side, out_size, pad_value)
        crop = torch.from_numpy(crop).permute(2, 0, 1)[None]
        return self.data_preprocessor.normalize(crop)

    @torch.inference_mode()
    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take the target from the first frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8.
            bbox (Sequence[float]): xywh in image pixels.
        """
        LOAD.start()
        self._compile()
        if self._folds_norms:
            fold_norms(self)
        box, pad_value, crop = self._template_crop(frame, bbox)
        neck_state = None
        with self._precision():
            feats = self.forward_template(crop)
            if self.optimize:
                neck_state = self.siamese_neck.init_template(feats)
            self._state = TrackState(box, pad_value, feats, neck_state)
            self._adapt(frame)

    def _compile(self) -> None:
        """Do what ``test_cfg.compile`` says, once."""
        if self._compiled or not self.test_cfg.get('compile'):
            return
        for part in (self.backbone, self.head):
            # Operators of the fast form are unknown to torch.compile.
            set_optimize(part, False)
            # Template and search crops differ in size: one graph for each.
            compile_module(part)
        self._compiled = True

    def _precision(self) -> ContextManager:
        """Autocast to what ``test_cfg.precision`` says, if it can."""
        kind = next(self.parameters()).device.type
        wanted = precision_of(self.test_cfg) == 'bf16'
        return torch.autocast(
            kind, torch.bfloat16, enabled=wanted and suits_bf16(kind))

    @torch.inference_mode()
    def track(self, frame: np.ndarray) -> TrackResult:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.

        Returns:
            TrackResult: See there.

        Raises:
            RuntimeError: If :meth:`init` was not called before.
        """
        with LOAD.frame(), self._precision():
            return self._track(frame)

    def _look(self, frame: np.ndarray) -> _Seen:
        """Run the network around the target's last place, up to the RPN."""
        crop, side, scale = self._search_crop(frame)
        state, learner = self._state, self.correlation_filter
        low_level, neck_x = self.forward_search(crop)
        dsa_z, dsa_x = self.siamese_neck(state.template_feats, neck_x,
                                         state.neck_state)
        cls_score, bbox_pred = self.head(dsa_z, dsa_x)
        spectrum = response = maps = None
        if self.box_regressor:
            maps = self.box_regressor.maps(low_level, neck_x)
        if learner:
            spectrum = learner.spectrum(neck_x)
            if state.filter_state is not None:
                response = learner.respond(state.filter_state.filter, spectrum,
                                           cls_score.shape[-1])
                response = response.double().cpu().numpy()
        selection = (cls_score, bbox_pred, tuple(state.box[2:] * scale),
                     response, state.bias)
        proposal = self.head.select_proposal(*selection)
        candidates = self._recognise(proposal.boxes, proposal.ranked,
                                     proposal.best, scale)
        if candidates and candidates.chosen:
            proposal = self.head.select_proposal(*selection, candidates.avoid)
        return _Seen(proposal, low_level, dsa_z, dsa_x, spectrum, maps,
                     candidates, side, scale)

    def _recognise(self, boxes: np.ndarray, ranked: np.ndarray, best: int,
                   scale: float) -> Optional[Candidates]:
        """What looks like the target; None before the first frame is known.

        Args:
            boxes (np.ndarray): (4, K) of all anchors, cxcywh in crop pixels
                from the crop's middle.
            ranked (np.ndarray): (K,), their scores.
            best (int): Index of the proposal.
            scale (float): Crop pixels per image pixel.

        Returns:
            Candidates, optional: See there.
        """
        state = self._state
        if state.rival_state is None:
            return None
        return self.rival_association.recognise(state.rival_state, boxes,
                                                ranked, best, scale,
                                                state.box[:2])

    def _adapt(self, frame: np.ndarray) -> None:
        """Learn what the first frame says beyond the template.

        How the network's boxes differ from the given one, and what the
        correlation filter and the box regressor want to know.
        """
        state = self._state
        share = self.test_cfg.rpn.get('calibration')
        rivals = self.rival_association
        learner, regressor = self.correlation_filter, self.box_regressor
        # The first view is the target's own place.
        boxes = []
        if share or regressor:
            boxes = views(state.box)
        elif learner:
            boxes = [state.box]
        seen, truths = [], []
        for box in boxes:
            self._state = state._replace(box=box)
            view = self._propose(frame)
            truth = state.box * view.scale
            truth[:2] -= box[:2] * view.scale
            seen.append(view)
            truths.append(truth)
        if share:
            state = state._replace(
                bias=mean_bias([
                    box_bias(view.bbox, truth)
                    for view, truth in zip(seen, truths)
                ], share))
        if learner:
            state = state._replace(
                filter_state=learner.init(seen[0].spectrum, truths[0][2:]))
        if regressor:
            state = state._replace(
                regressor_state=regressor.fit([
                    RegressorView(view.maps, truth)
                    for view, truth in zip(seen, truths)
                ]))
        if rivals:
            state = state._replace(rival_state=rivals.init(state.box))
        self._state = state

    def _propose(self, frame: np.ndarray) -> View:
        """Find the target without moving there."""
        LOAD.check()
        seen = self._look(frame)
        return View(seen.proposal.bbox, seen.scale, seen.spectrum, seen.maps)

    def _track(self, frame: np.ndarray) -> TrackResult:
        state, cfg = self._state, self.test_cfg
        (proposal, low_level, dsa_z, dsa_x, spectrum, maps, candidates, side,
         scale) = self._look(frame)
        found = proposal.bbox.copy()
        found[:2] += cfg.search_size / 2
        fused_mask = None
        if self.with_refine_head:
            if cfg.get('refine', {}).get('box', True):
                fused_box, fused_mask = self.refine_head(
                    dsa_z, dsa_x, low_level)
                found = self._refine_box(fused_box, found)
            else:
                fused_mask = self.refine_head.fuse_mask(
                    dsa_z, dsa_x, low_level)
        if self.box_regressor:
            found = self._regress_box(maps, found)

        origin = state.box[:2] - side / 2
        lr = proposal.penalty * proposal.score * cfg.rpn.lr
        if candidates and candidates.chosen:
            # Hidden, maybe: where it is still counts, its size does not.
            lr = 0.
        box = self._update_box(state.box, found / scale, origin, lr,
                               frame.shape)
        self._follow(box, proposal.score, spectrum,
                     found[:2] - cfg.search_size / 2, scale, candidates)
        mask = None
        if fused_mask is not None:
            mask = self._segment(fused_mask, box, origin, scale, side,
                                 frame.shape)
        return self._result(box, proposal.score, mask)

    def _template_crop(
        self, frame: np.ndarray, bbox: Sequence[float]
    ) -> Tuple[np.ndarray, Tuple[float, ...], Any]:
        """The target (cxcywh), the frame's mean colour, the crop."""
        x, y, w, h = (float(value) for value in bbox)
        box = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
        pad_value = cv2.mean(np.ascontiguousarray(frame))[:frame.shape[2]]
        side = context_side(w, h, self.test_cfg.context_amount)
        return box, pad_value, self._crop(frame, max(1, round(side)),
                                          self.test_cfg.exemplar_size, box,
                                          pad_value)

    def _search_crop(self, frame: np.ndarray) -> Tuple[Any, int, float]:
        """The crop, its side in the image, crop pixels per image pixel."""
        if self._state is None:
            raise RuntimeError('track() was called before init(): give the '
                               'target in the first frame')
        state, cfg = self._state, self.test_cfg
        template_side = context_side(*state.box[2:], cfg.context_amount)
        scale = cfg.exemplar_size / template_side
        side = max(
            1, round(template_side * cfg.search_size / cfg.exemplar_size))
        return self._crop(frame, side, cfg.search_size, state.box,
                          state.pad_value), side, scale

    def _result(self, box: np.ndarray, score: float,
                mask: Optional[PastedMask]) -> TrackResult:
        bbox = np.concatenate([box[:2] - box[2:] / 2, box[2:]])
        polygon = None
        if mask is not None:
            polygon = rotated_box(mask, bbox,
                                  self.test_cfg.refine.min_contour_area)
        return TrackResult(bbox, score, mask, polygon)

    def _refine_box(self, fused_box: Tensor, box: np.ndarray) -> np.ndarray:
        last = self.test_cfg.search_size - 1
        min_size = self.test_cfg.get('min_size', 10)
        box = np.concatenate(
            [np.clip(box[:2], 0, last),
             np.clip(box[2:], min_size, last)])
        box = torch.from_numpy(box).to(fused_box.device, torch.float32)[None]
        return self.refine_head.predict_box(fused_box,
                                            box)[0].double().cpu().numpy()

    def _regress_box(self, maps: Feats, box: np.ndarray) -> np.ndarray:
        middle = np.array([self.test_cfg.search_size / 2] * 2 + [0, 0])
        found = torch.from_numpy(box - middle).to(maps[0].device)
        found = self.box_regressor.regress(self._state.regressor_state, maps,
                                           found)
        return found.cpu().numpy() + middle

    def _update_box(self, old: np.ndarray, new: np.ndarray,
                    origin: np.ndarray, lr: float,
                    image_shape: Tuple[int, ...]) -> np.ndarray:
        """Into the image; sizes are smoothed, the centre is not."""
        size = np.array(image_shape[1::-1])
        min_size = self.test_cfg.get('min_size', 10)
        centre = np.clip(new[:2] + origin, 0, size - 1)
        # An image smaller than the smallest target: its size wins.
        extent = np.minimum(
            np.maximum(old[2:] * (1 - lr) + new[2:] * lr, min_size), size - 1)
        return np.concatenate([centre, extent])

    def _follow(self, box: np.ndarray, score: float,
                spectrum: Optional[Tensor], shift: Sequence[float],
                scale: float, candidates: Optional[Candidates]) -> None:
        """Go where the target is, and learn from it, if it is found.

        Args:
            box (np.ndarray): (4,), cxcywh in image pixels.
            score (float): 0..1.
            spectrum (Tensor, optional): Of the correlation filter.
            shift (Sequence[float]): x, y from the crop's middle in crop
                pixels.
            scale (float): Crop pixels per image pixel.
            candidates (Candidates, optional): Of the rival association.
        """
        cfg, missing = self.test_cfg.rpn, self._state.missing
        enough = cfg.get('hold_score', 0)
        if missing >= LOST_AFTER:
            enough = cfg.get('recover_score', enough)
        found = score >= enough
        if candidates:
            found = found and self.rival_association.accepts(
                self._state.rival_state, candidates, box)
        self._state = self._state._replace(missing=0 if found else missing + 1)
        if found:
            self._state = self._state._replace(box=box)
        if candidates:
            self._state = self._state._replace(
                rival_state=self.rival_association.update(
                    self._state.rival_state, candidates,
                    box if found else None))
        learner = self.correlation_filter
        doubtful = candidates is not None and candidates.chosen
        if (learner and found and score >= learner.min_score
                and not doubtful):
            self._state = self._state._replace(
                filter_state=learner.update(self._state.filter_state, spectrum,
                                            shift, box[2:] * scale))

    def _segment(self, fused_mask: Tensor, box: np.ndarray,
                 origin: np.ndarray, scale: float, side: int,
                 image_shape: Tuple[int, ...]) -> PastedMask:
        """Segment the box that was just found, and paste the mask."""
        roi = np.concatenate([(box[:2] - origin), box[2:]]) * scale
        corners = np.concatenate(
            [[0.], roi[:2] - roi[2:] / 2, roi[:2] + roi[2:] / 2])
        rois = torch.from_numpy(corners).to(fused_mask.device,
                                            torch.float32)[None]
        prob = self.refine_head.predict_mask(fused_mask, rois).sigmoid()
        ratio = side / self.test_cfg.search_size
        target = np.concatenate([origin + corners[1:3] * ratio,
                                 roi[2:] * ratio])
        paste = paste_mask if self.optimize else paste_mask_over_image
        return paste(prob[0, 0].float().cpu().numpy(), target,
                     (image_shape[1], image_shape[0]),
                     self.test_cfg.refine.mask_thr)

    def predict(self, inputs: Dict[str, Tensor], data_samples: list,
                **kwargs) -> list:
        """Track one frame of a video, as mmtrack's test loop asks.

        The first frame's ground truth initialises the tracker.

        Args:
            inputs (dict[str, Tensor]): ``img`` (1, 1, 3, H, W) uint8, BGR.
            data_samples (list[TrackDataSample]): One.

        Returns:
            list[TrackDataSample]: With ``pred_track_instances``: ``bboxes``
            (1, 4), xyxy in pixels, ``scores`` (1,), -1 for the first frame,
            and, behind the first frame with a mask head, ``masks`` (1, H, W)
            and ``polygons`` (1, 4, 2); ``track_time`` in its meta
            information: seconds from the frame to the result.

        Raises:
            ValueError: If the batch holds more than one frame, or the frame
                has no number.
        """
        frames = inputs['img']
        if frames.dim() != 5 or len(frames) != 1:
            raise ValueError('testing takes one frame at a time, inputs["img"]'
                             f' of shape (1, 1, 3, H, W), but got '
                             f'{tuple(frames.shape)}')
        sample = data_samples[0]
        frame_id = sample.metainfo.get('frame_id', -1)
        if frame_id < 0:
            raise ValueError('the data sample has no frame_id: use mmtrack\'s '
                             'VideoSampler and PackTrackInputs')
        # A view: (C, H, W) with the strides of (H, W, C).
        frame = frames[0, 0].permute(1, 2, 0).cpu().numpy()

        start = time.perf_counter()
        if frame_id == 0:
            bbox = xywh_of(sample.gt_instances.bboxes.flatten().cpu().numpy())
            self.init(frame, bbox)
            result = TrackResult(bbox, -1., None, None)
        else:
            result = self.track(frame)
        sample.set_metainfo(dict(track_time=time.perf_counter() - start))
        sample.pred_track_instances = self._instances(result)
        return data_samples

    @staticmethod
    def _instances(result: TrackResult) -> InstanceData:
        bbox = torch.from_numpy(np.asarray(result.bbox, np.float64))
        centre = bbox.clone()
        centre[:2] += bbox[2:] / 2
        instances = InstanceData(
            bboxes=bbox_cxcywh_to_xyxy(centre)[None].float(),
            scores=torch.tensor([result.score]))
        if result.pasted_mask is not None:
            instances.masks = torch.from_numpy(result.pasted_mask.full())[None]
            instances.polygons = torch.from_numpy(result.polygon)[None]
        return instances


def precision_of(test_cfg: Mapping[str, Any]) -> str:
    """In which precision to track.

    Args:
        test_cfg (Mapping): With or without ``precision``.

    Returns:
        str: One of ``PRECISIONS``; by default the first.

    Raises:
        ValueError: If it is another one.
    """
    precision = test_cfg.get('precision', PRECISIONS[0])
    if precision not in PRECISIONS:
        raise ValueError(f'test_cfg.precision must be one of {PRECISIONS}, '
                         f'but got {precision!r}')
    return precision


def xywh_of(region: np.ndarray) -> np.ndarray:
    """Axis-aligned box of a region, to initialise the tracker with.

    Args:
        region (np.ndarray): (4,) xyxy, or (8,) x, y of four corners.

    Returns:
        np.ndarray: (4,) float64, xywh. A polygon becomes the box of the same
        centre and area, with the aspect of its bounding rectangle, as in the
        VOT toolkits.

    Raises:
        ValueError: If there are neither 4 nor 8 numbers.
    """
    region = np.asarray(region, np.float64).ravel()
    if region.size == 4:
        return np.concatenate([region[:2], region[2:] - region[:2]])
    if region.size != 8:
        raise ValueError('a region is 4 numbers (xyxy) or 8 (polygon), '
                         f'but got {region.size}')
    corners = region.reshape(4, 2)
    extent = corners.max(0) - corners.min(0)
    area = np.linalg.norm(corners[0] - corners[1]) * np.linalg.norm(
        corners[1] - corners[2])
    size = extent * np.sqrt(area / max(extent.prod(), 1e-12)) + 1
    return np.concatenate([corners.mean(0) - (size - 1) / 2, size])
