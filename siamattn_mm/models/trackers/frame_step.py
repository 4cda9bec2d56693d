"""One frame of tracking, the same for every runtime and number of targets."""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch

from siamattn_mm.structures.boxes import AnchorGrid
from siamattn_mm.structures.mask_paste import (
    PastedMask,
    SoftMask,
    largest_part,
    rotated_box,
)
from siamattn_mm.structures.search_window import SearchWindow
from siamattn_mm.utils.stages import stage

from ..task_modules.online import VIEWS, Outcome, View
from ..task_modules.selection import Proposal, decode, pick, rank
from .mask_fit import MaskFit, overlap
from .runtime import PartFeatures, Runtime, SearchOutput
from .tracking_config import TrackingConfig


class TrackState(NamedTuple):
    """What is known of a target between frames; nothing of it ever changes.

    Attributes:
        box (np.ndarray): (4,) float64, cxcywh in image pixels: where it is
            looked for.
        pad_value (tuple[float, ...]): The first frame's mean colour.
        template (Any): Of the runtime.
        learnt (tuple): The states of the parts that learn from the video.
        mask_fit (MaskFit, optional): Of the first frame; None unless
            ``test_cfg.report`` asks for it. Defaults to None.
    """
    box: np.ndarray
    pad_value: Tuple[float, ...]
    template: Any
    learnt: tuple
    mask_fit: Optional[MaskFit] = None


class TrackResult(NamedTuple):
    """What the tracker says about one frame.

    Attributes:
        bbox (np.ndarray): (4,) float64, xywh in image pixels.
        score (float): Foreground probability of the chosen anchor, 0..1.
        pasted_mask (PastedMask, optional): None without a mask head.
        polygon (np.ndarray, optional): (4, 2) float64, corners of the
            rotated box; None without a mask head.
        lost (bool): Whether the target is lost: ``bbox`` is not followed
            until it is found again. Defaults to False.
        soft_mask (SoftMask, optional): What the mask was pasted from.
            Defaults to None.
    """
    bbox: np.ndarray
    score: float
    pasted_mask: Optional[PastedMask]
    polygon: Optional[np.ndarray]
    lost: bool = False
    soft_mask: Optional[SoftMask] = None


class _Choice(NamedTuple):
    """Which anchor it is."""
    proposal: Proposal
    doubtful: bool
    notes: list


class _Mask(NamedTuple):
    """A target's mask, pasted, and the outline of its largest part."""
    soft: SoftMask
    pasted: PastedMask
    part: Optional[np.ndarray]


class FrameStep:
    """Takes targets from one frame to the next, without keeping anything.

    Args:
        runtime (Runtime): The network.
        cfg (TrackingConfig): What the network was built for.
    """

    def __init__(self, runtime: Runtime, cfg: TrackingConfig) -> None:
        self.runtime, self.cfg = runtime, cfg
        self._grids: Dict[Tuple[int, int], AnchorGrid] = {}

    # -- the first frame --------------------------------------------------

    @torch.inference_mode()
    def begin(self, frame: np.ndarray, bbox: Sequence[float]) -> TrackState:
        """Take a target from a frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8.
            bbox (Sequence[float]): xywh in image pixels.

        Returns:
            TrackState: The first state.

        Raises:
            ValueError: If ``test_cfg`` asks for ``fp16`` on a CPU.
        """
        cfg, (x, y, w, h) = self.cfg, (float(value) for value in bbox)
        box = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
        pad_value = cv2.mean(np.ascontiguousarray(frame))[:frame.shape[2]]
        crop = SearchWindow.around(
            box, cfg.exemplar_size, cfg.exemplar_size, cfg.context_amount,
            cfg.exact_crop).crop(frame, pad_value)
        with self.runtime.start():
            state = TrackState(box, pad_value, self.runtime.template(crop),
                               (None, ) * len(self.runtime.parts))
            if self.runtime.makes_masks and cfg.report.asks_first_mask:
                state = state._replace(mask_fit=self._fit_mask(frame, state))
            return state._replace(learnt=self._learn(frame, state))

    def _fit_mask(self, frame: np.ndarray, state: TrackState) -> MaskFit:
        """Compare the first frame's mask with the given box."""
        _, windows, seen = self._look(frame, [state])
        given = self._xywh(state.box)
        (_, _, part), = self._masks([given], windows, seen,
                                    frame.shape[1::-1])
        return MaskFit.of(given, _box_around(part))

    def _learn(self, frame: np.ndarray, state: TrackState) -> tuple:
        """The states of all parts, from a few looks at the first frame."""
        parts = self.runtime.parts
        views = [
            self._view(frame, state, *view)
            for view in VIEWS[:max([0] + [part.views for part in parts])]
        ]
        learnt = []
        for index, part in enumerate(parts):
            with stage(part.stage):
                learnt.append(
                    part.learn(state.box, [
                        View(found, truth, features[index])
                        for found, truth, features in views[:part.views]
                    ]))
        return tuple(learnt)

    def _view(self, frame: np.ndarray, state: TrackState, dx: float,
              dy: float, zoom: float
              ) -> Tuple[np.ndarray, np.ndarray, PartFeatures]:
        """Find the target as if it had been somewhere else before.

        Returns:
            tuple: What is found and the truth, (4,) each, in crop pixels from
            the crop's middle, and the parts' features.
        """
        box = state.box
        start = np.concatenate([box[:2] + (dx, dy) * box[2:], box[2:] * zoom])
        (choice, ), (window, ), seen = self._look(
            frame, [state._replace(box=start)])
        # A runtime may use the same memory for the next crop.
        features = tuple(
            tuple(values.clone() for values in part) for part in seen.features)
        return (choice.proposal.bbox, window.to_crop(box, rounded=False),
                features)

    # -- the next ones ----------------------------------------------------

    @torch.inference_mode()
    def __call__(self, frame: np.ndarray, states: Sequence[TrackState]
                 ) -> Tuple[List[TrackResult], List[TrackState]]:
        """Find N targets in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.
            states (Sequence[TrackState]): N, none of them changed.

        Returns:
            tuple[list[TrackResult], list[TrackState]]: N of each, in the same
            order.

        Raises:
            ValueError: If ``test_cfg`` asks for ``fp16`` on a CPU.
        """
        with self.runtime.frame():
            choices, windows, seen = self._look(frame, states)
            boxes = self._boxes(choices, seen)
            results, following = [], []
            for index, (state, choice, window) in enumerate(
                    zip(states, choices, windows)):
                result, state = self._follow(
                    state, choice, window, boxes[index],
                    seen.features_of(index), frame.shape[1::-1])
                results.append(result)
                following.append(state)
            if self.runtime.makes_masks:
                results = self._segment(states, results, windows, seen,
                                        frame.shape[1::-1])
        return results, following

    def _look(self, frame: np.ndarray, states: Sequence[TrackState]
              ) -> Tuple[List[_Choice], List[SearchWindow], SearchOutput]:
        """Look around the targets' last places, and choose an anchor each."""
        with stage('crop'):
            windows = [self.window(state) for state in states]
            crops = np.stack([
                window.crop(frame, state.pad_value)
                for window, state in zip(windows, states)
            ])
        seen = self.runtime.search(
            [state.template for state in states], crops,
            [self.runtime.for_response(state.learnt) for state in states])
        choices = []
        with stage('post-processing'):
            for index, (state, window) in enumerate(zip(states, windows)):
                choices.append(self._choose(state, window, seen, index))
        return choices, windows, seen

    def window(self, state: TrackState) -> SearchWindow:
        """Say where the next frame is searched.

        Args:
            state (TrackState): Of a target.

        Returns:
            SearchWindow: Larger than usual, or elsewhere, if a part wants it.
        """
        cfg, zoom, box = self.cfg, 1., state.box.copy()
        for part, learnt in zip(self.runtime.parts, state.learnt):
            if learnt is not None:
                zoom = max(zoom, part.search_zoom(learnt))
                box[:2] += part.search_shift(learnt)
        return SearchWindow.around(box, cfg.search_size,
                                   cfg.exemplar_size, cfg.context_amount,
                                   cfg.exact_crop, zoom)

    def _grid(self, size: Tuple[int, int]) -> AnchorGrid:
        if size not in self._grids:
            self._grids[size] = AnchorGrid.of(self.runtime.anchor_generator,
                                              *size)
        return self._grids[size]

    def _choose(self, state: TrackState, window: SearchWindow,
                seen: SearchOutput, index: int) -> _Choice:
        cfg = self.cfg.rpn
        grid = self._grid(seen.cls_score.shape[-2:])
        parts = [(i, part, learnt) for i, (part, learnt) in enumerate(
            zip(self.runtime.parts, state.learnt)) if learnt is not None]
        boxes = decode(seen.bbox_pred[index], grid)
        for _, part, learnt in parts:
            boxes = part.calibrate(learnt, boxes)
        ranking = rank(seen.cls_score[index], boxes, grid.window,
                       state.box[2:] * window.scale, cfg.penalty_k,
                       cfg.window_influence)
        for i, part, learnt in parts:
            response = seen.responses[i]
            ranking = ranking._replace(total=part.rank(
                learnt, ranking,
                None if response is None else response[index]))
        proposal = pick(ranking, cfg.vote_iou)
        notes: list = [None] * len(state.learnt)
        refused = None
        for i, part, learnt in parts:
            excluded, notes[i] = part.choose(learnt, ranking, proposal.best,
                                             window)
            if excluded is not None:
                refused = excluded if refused is None else refused | excluded
        if refused is not None:
            proposal = pick(ranking, cfg.vote_iou, refused)
        return _Choice(proposal, refused is not None, notes)

    def _boxes(self, choices: Sequence[_Choice],
               seen: SearchOutput) -> np.ndarray:
        """What was found, (N, 4) in crop pixels from the crop's middle."""
        boxes = np.stack([choice.proposal.bbox for choice in choices])
        if not self.runtime.refines_boxes:
            return boxes
        last, middle = self.cfg.search_size - 1, self.cfg.crop_middle
        centres = np.clip(boxes[:, :2] + middle, 0, last) - middle
        sizes = np.clip(boxes[:, 2:], self.cfg.min_size, last)
        return self.runtime.refine_boxes(seen.fused,
                                         np.concatenate([centres, sizes], 1))

    def _follow(self, state: TrackState, choice: _Choice,
                window: SearchWindow, refined: np.ndarray,
                features: PartFeatures, image_size: Tuple[int, int]
                ) -> Tuple[TrackResult, TrackState]:
        """Go where the target is, and learn from it, if it is found."""
        found = refined
        parts = list(zip(self.runtime.parts, state.learnt, features,
                         choice.notes))
        for part, learnt, own, _ in parts:
            with stage(part.stage):
                found = part.correct(learnt, own, found)
        score = choice.proposal.score
        lr = choice.proposal.penalty * score * self.cfg.rpn.lr
        if choice.doubtful:
            # Hidden, maybe: where it is still counts, its size does not.
            lr = 0.
        box = self._smoothed(state.box, window.to_image(found), lr, image_size)
        accepted = all([
            part.accepts(learnt, note, box, score)
            for part, learnt, _, note in parts
        ])
        in_crop = np.concatenate([found[:2], box[2:] * window.scale])
        following = []
        for part, learnt, own, note in parts:
            with stage(part.stage):
                following.append(
                    part.update(
                        learnt,
                        Outcome(box, in_crop, score, accepted,
                                choice.doubtful, own, note)))
        lost = any(part.lost(learnt)
                   for part, learnt in zip(self.runtime.parts, following))
        bbox = self._reported(state, choice, window, refined, found,
                              image_size)
        return (TrackResult(bbox, score, None, None, lost),
                state._replace(box=box if accepted else state.box,
                               learnt=tuple(following)))

    def _reported(self, state: TrackState, choice: _Choice,
                  window: SearchWindow, refined: np.ndarray,
                  corrected: np.ndarray,
                  image_size: Tuple[int, int]) -> np.ndarray:
        """The mean of several guesses, (4,) xywh in image pixels."""
        cfg, proposal = self.cfg.report, choice.proposal
        guesses = np.stack([proposal.bbox, refined, corrected])
        lr = self.cfg.rpn.lr if cfg.lr is None else cfg.lr
        lr = 0. if choice.doubtful else proposal.penalty * proposal.score * lr
        box = self._smoothed(state.box,
                             window.to_image(np.array(cfg.shares) @ guesses),
                             lr, image_size)
        return self._xywh(box)

    def _xywh(self, box: np.ndarray) -> np.ndarray:
        """A result's box of a window's cxcywh, both in image pixels."""
        corner = box[:2] - box[2:] / 2 + self.cfg.edge
        return np.concatenate([corner, box[2:]])

    def _smoothed(self, old: np.ndarray, new: np.ndarray, lr: float,
                  image_size: Tuple[int, int]) -> np.ndarray:
        """Into the image; sizes are smoothed, the centre is not."""
        last = np.array(image_size) - 1
        centre = np.clip(new[:2], 0, last)
        # An image smaller than the smallest target: its size wins.
        extent = np.minimum(
            np.maximum(old[2:] * (1 - lr) + new[2:] * lr, self.cfg.min_size),
            last)
        return np.concatenate([centre, extent])

    def _segment(self, states: Sequence[TrackState],
                 results: Sequence[TrackResult],
                 windows: Sequence[SearchWindow], seen: SearchOutput,
                 image_size: Tuple[int, int]) -> List[TrackResult]:
        """Segment the boxes that were just found."""
        masks = self._masks([result.bbox for result in results], windows, seen,
                            image_size)
        with stage('paste'):
            return [
                result._replace(
                    bbox=self._with_mask(result.bbox, _box_around(part),
                                         state.mask_fit),
                    pasted_mask=mask,
                    soft_mask=soft,
                    polygon=rotated_box(part, result.bbox))
                for state, result, (soft, mask, part) in zip(
                    states, results, masks)
            ]

    def _masks(self, boxes: Sequence[np.ndarray],
               windows: Sequence[SearchWindow], seen: SearchOutput,
               image_size: Tuple[int, int]) -> List[_Mask]:
        """Segment a box in each crop, xywh in image pixels, and paste."""
        cfg = self.cfg.refine
        rois = np.stack([
            window.to_crop(
                np.concatenate([
                    box[:2] + box[2:] / 2 - self.cfg.edge,
                    box[2:] * cfg.mask_scale
                ])) for box, window in zip(boxes, windows)
        ])
        probs = self.runtime.segment(seen.fused, rois)
        masks = []
        with stage('paste'):
            for window, roi, prob in zip(windows, rois, probs):
                soft = SoftMask(prob, window.extent(roi), image_size,
                                window.exact)
                mask = soft.paste(cfg.mask_thr)
                masks.append(
                    _Mask(soft, mask, largest_part(mask,
                                                   cfg.min_contour_area)))
        return masks

    def _with_mask(self, bbox: np.ndarray, around: Optional[np.ndarray],
                   fit: Optional[MaskFit]) -> np.ndarray:
        """Take the box around a mask into account, if they agree.

        Both are xywh in image pixels.
        """
        cfg = self.cfg.report
        share = cfg.mask_share
        if around is None or not share:
            return bbox
        if fit is not None:
            if cfg.mask_trust is not None:
                share *= fit.trust(*cfg.mask_trust)
            around = fit.corrected(around, cfg.mask_calibration)
        if overlap(bbox, around) < cfg.mask_iou:
            return bbox
        return bbox + share * (around - bbox)


def _box_around(part: Optional[np.ndarray]) -> Optional[np.ndarray]:
    """The box of a part of a mask, (4,) xywh in image pixels."""
    if part is None:
        return None
    return np.array(cv2.boundingRect(part), np.float64)
