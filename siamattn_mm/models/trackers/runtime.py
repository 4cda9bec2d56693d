"""What a tracking session asks of a network, and PyTorch's answer."""
import contextlib
from typing import (
    Any,
    ContextManager,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch
from torch import Tensor

from siamattn_mm.utils.machine_load import LOAD
from siamattn_mm.utils.nested_tensors import batched, download
from siamattn_mm.utils.stages import stage

from ..ops.constants import upload
from ..ops.full_precision import full_precision
from ..ops.onednn import suits_bf16
from ..task_modules.online import OnlinePart
from .tracking_config import TrackingConfig

HALF_TYPES = dict(bf16=torch.bfloat16, fp16=torch.float16)

PartFeatures = Tuple[Tuple[Tensor, ...], ...]


class SearchOutput(NamedTuple):
    """What a network says about N search crops.

    Arrays are on the host; the rest stays where the network is.

    Attributes:
        cls_score (np.ndarray): (N, 2 * A, H, W) logits.
        bbox_pred (np.ndarray): (N, 4 * A, H, W) deltas.
        responses (tuple[np.ndarray | None]): (N, H, W) of each part.
        features (tuple[tuple[Tensor]]): (N, ...) each, of each part.
        fused (Any): For the runtime's refinement.
    """
    cls_score: np.ndarray
    bbox_pred: np.ndarray
    responses: Tuple[Optional[np.ndarray], ...]
    features: PartFeatures
    fused: Any

    def features_of(self, index: int) -> PartFeatures:
        """What the parts take from one crop.

        Args:
            index (int): Of the crop, from 0.

        Returns:
            tuple[tuple[Tensor]]: (1, ...) each, of each part.
        """
        return tuple(
            tuple(values[index:index + 1] for values in part)
            for part in self.features)


class Runtime:
    """A network as a tracking session sees it; it keeps nothing of a video.

    Boxes are (N, 4), cxcywh in crop pixels from the crop's middle.

    Args:
        parts (Sequence[OnlinePart]): What learns from the video.
        anchor_generator (SiamAttnAnchorGenerator): Of the RPN.
    """

    def __init__(self, parts: Sequence[OnlinePart],
                 anchor_generator: Any) -> None:
        self.parts = tuple(parts)
        self.anchor_generator = anchor_generator

    @property
    def refines_boxes(self) -> bool:
        """bool: Whether :meth:`refine_boxes` is to be asked."""
        return False

    @property
    def makes_masks(self) -> bool:
        """bool: Whether :meth:`segment` is to be asked."""
        return False

    def start(self) -> ContextManager:
        """Get ready for a video.

        Returns:
            ContextManager: To take the first frame in.
        """
        return self.frame()

    def frame(self) -> ContextManager:
        """ContextManager: To track a frame in."""
        return contextlib.nullcontext()

    def template(self, crop: np.ndarray) -> Any:
        """Take what a target looks like.

        Args:
            crop (np.ndarray): (S, S, 3) uint8, BGR.

        Returns:
            Any: For :meth:`search`; never changed.

        Raises:
            ValueError: If ``test_cfg`` asks for ``fp16`` on a CPU.
            ExportError: If an exported network gives NaN or infinite numbers.
        """
        raise NotImplementedError

    def search(self, templates: Sequence[Any], crops: np.ndarray,
               learnt: Sequence[tuple]) -> SearchOutput:
        """Look for N targets, each in its own crop.

        Args:
            templates (Sequence[Any]): N, from :meth:`template`.
            crops (np.ndarray): (N, S, S, 3) uint8, BGR.
            learnt (Sequence[tuple]): Of each target what
                :meth:`for_response` gives.

        Returns:
            SearchOutput: Of N crops; valid until this thread's next call.
        """
        raise NotImplementedError

    def refine_boxes(self, fused: Any, boxes: np.ndarray) -> np.ndarray:
        """Refine one box per crop.

        Args:
            fused (Any): From :meth:`search`.
            boxes (np.ndarray): (N, 4), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (N, 4) float64, likewise.
        """
        raise NotImplementedError

    def segment(self, fused: Any, boxes: np.ndarray) -> np.ndarray:
        """Segment one box per crop.

        Args:
            fused (Any): From :meth:`search`.
            boxes (np.ndarray): (N, 4), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (N, h, w) float32, probabilities 0..1 over each box.
        """
        raise NotImplementedError

    def for_response(self, learnt: tuple) -> tuple:
        """Take from the parts' states what they respond by.

        Args:
            learnt (tuple): Of one target, the states; None for what has not
                learnt yet.

        Returns:
            tuple: As many, for :meth:`search`.
        """
        return tuple(
            None if own is None else part.for_response(own)
            for part, own in zip(self.parts, learnt))

    def respond(self, features: PartFeatures, learnt: Sequence[tuple],
                size: int) -> List[Optional[Tensor]]:
        """Ask the parts where the targets are.

        Args:
            features (tuple[tuple[Tensor]]): As in :class:`SearchOutput`.
            learnt (Sequence[tuple]): As for :meth:`search`.
            size (int): Side of the RPN's maps.

        Returns:
            list[Tensor | None]: (N, size, size) of each part.
        """
        responses = []
        for index, part in enumerate(self.parts):
            with stage(part.stage):
                found = [
                    None if states[index] is None else part.respond(
                        states[index],
                        tuple(f[i:i + 1] for f in features[index]), size)
                    for i, states in enumerate(learnt)
                ]
            responses.append(
                None if found[0] is None else torch.stack(found))
        return responses


class TemplateFeatures(NamedTuple):
    """What PyTorch keeps of a template.

    Attributes:
        feats (tuple[Tensor]): Neck outputs.
        neck_state (Any): The siamese neck's; None if it is to be computed at
            every frame.
    """
    feats: Tuple[Tensor, ...]
    neck_state: Any


class TorchRuntime(Runtime):
    """A model in PyTorch, which has all crops in one batch.

    What it refines from is the fused maps of box and mask, (N, C, h, w) each
    on its device, or None.

    Args:
        model (SiamAttn): In eval mode.
        cfg (TrackingConfig): The model's.
    """

    def __init__(self, model: Any, cfg: TrackingConfig) -> None:
        super().__init__(model.online, model.head.anchor_generator)
        self.model, self.cfg = model, cfg

    @property
    def refines_boxes(self) -> bool:
        return self.model.with_refine_head and self.cfg.refine.box

    @property
    def makes_masks(self) -> bool:
        return self.model.makes_masks

    def start(self) -> ContextManager:
        LOAD.start()
        self.model.prepare()
        return contextlib.nullcontext()

    def frame(self) -> ContextManager:
        return LOAD.frame()

    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _precision(self) -> ContextManager:
        """Autocast to what the config says, if it can."""
        kind, wanted = self._device().type, HALF_TYPES.get(self.cfg.precision)
        if wanted is None:
            return full_precision(self._device())
        if wanted is torch.float16 and kind == 'cpu':
            raise ValueError('test_cfg.precision fp16 needs a GPU; a CPU has '
                             'bf16 and fp32')
        return torch.autocast(kind, wanted, enabled=suits_bf16(kind))

    def _normalised(self, crops: Tensor) -> Tensor:
        # A view: (N, 3, S, S) with the strides of (N, S, S, 3).
        return self.model.data_preprocessor.normalize(
            upload(crops, self._device()).permute(0, 3, 1, 2))

    @torch.inference_mode()
    def template(self, crop: np.ndarray) -> TemplateFeatures:
        model = self.model
        with self._precision():
            feats = model.forward_template(
                self._normalised(torch.from_numpy(crop[None])))
            return TemplateFeatures(
                feats,
                model.siamese_neck.init_template(feats)
                if model.paths.fast else None)

    @torch.inference_mode()
    def search(self, templates: Sequence[TemplateFeatures],
               crops: np.ndarray, learnt: Sequence[tuple]) -> SearchOutput:
        LOAD.check()
        template = (templates[0] if len(templates) == 1 else
                    batched(templates))
        cls_score, bbox_pred, responses, features, fused = self._search(
            template, torch.from_numpy(crops), learnt)
        cls_score, bbox_pred, *responses = download(
            [cls_score, bbox_pred, *responses])
        return SearchOutput(cls_score, bbox_pred, tuple(responses), features,
                            fused)

    def _search(self, template: TemplateFeatures, crops: Tensor,
                learnt: Sequence[tuple]) -> tuple:
        """The network's part of :meth:`search`; nothing waits for it."""
        model = self.model
        with self._precision():
            low_level, neck_x = model.forward_search(self._normalised(crops))
            with stage('DSA'):
                dsa_z, dsa_x = model.siamese_neck(template.feats, neck_x,
                                                  template.neck_state)
            with stage('RPN'):
                cls_score, bbox_pred = model.head(dsa_z, dsa_x)
            features = model.part_features(low_level, neck_x)
            responses = self.respond(features, learnt, cls_score.shape[-1])
            fused = model.fuse(dsa_z, dsa_x, low_level, self.cfg.refine.box)
        return cls_score, bbox_pred, responses, features, fused

    @torch.inference_mode()
    def refine_boxes(self, fused: Any, boxes: np.ndarray) -> np.ndarray:
        middle = np.array([self.cfg.crop_middle] * 2 + [0, 0])
        with stage('refinement box'):
            found = self._refine(
                fused[0],
                torch.from_numpy((boxes + middle).astype(np.float32)))
            return found.double().cpu().numpy() - middle

    def _refine(self, fused: Tensor, boxes: Tensor) -> Tensor:
        with self._precision():
            return self.model.refine_head.predict_box(
                fused, boxes.to(fused.device))

    @torch.inference_mode()
    def segment(self, fused: Any, boxes: np.ndarray) -> np.ndarray:
        with stage('mask'):
            rois = torch.from_numpy(mask_rois(boxes, self.cfg.crop_middle))
            return self._segment(fused[1], rois).cpu().numpy()

    def _segment(self, fused: Tensor, rois: Tensor) -> Tensor:
        with self._precision():
            logits = self.model.refine_head.predict_mask(
                fused, rois.to(fused.device))
            return logits.sigmoid()[:, 0].float()


def mask_rois(boxes: np.ndarray, middle: float) -> np.ndarray:
    """RoIs that masks are predicted over.

    Args:
        boxes (np.ndarray): (N, 4), cxcywh in crop pixels from the crop's
            middle, one per crop.
        middle (float): Of the crops, in crop pixels.

    Returns:
        np.ndarray: (N, 5) float32, index of the crop and xyxy in crop pixels.
    """
    centre, half = boxes[:, :2] + middle, boxes[:, 2:] / 2
    return np.concatenate(
        [np.arange(len(boxes))[:, None], centre - half, centre + half],
        1).astype(np.float32)
