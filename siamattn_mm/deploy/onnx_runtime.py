"""A tracker's network, run by an ONNX runtime."""
import contextlib
from typing import Any, Dict, Iterator, Mapping, Sequence

import numpy as np
import torch

from siamattn_mm.models.task_modules import OnlinePart
from siamattn_mm.models.trackers.runtime import (
    Runtime,
    SearchOutput,
    mask_rois,
)
from siamattn_mm.utils.stages import stage

from .files import ExportError
from .graphs import FUSED_BOX, FUSED_MASK, channels_first, feature_names
from .runtimes import Arrays

FINITE = 'the exported model gives NaN or infinite numbers in {}: its weights '
FINITE += 'are bad'


class OnnxRuntime(Runtime):
    """Graphs of an exported model; they have one crop at a time.

    Args:
        graphs (Mapping[str, Any]): By kind, see ``files.py``: ``template``,
            ``search`` and, where there is such a head, ``box`` and ``mask``.
        parts (Sequence[OnlinePart]): What learns from the video.
        anchor_generator (SiamAttnAnchorGenerator): Of the RPN.
        middle (float): Of the search crop, in crop pixels.
    """

    def __init__(self, graphs: Mapping[str, Any], parts: Sequence[OnlinePart],
                 anchor_generator: Any, middle: float) -> None:
        super().__init__(parts, anchor_generator)
        self.graphs: Dict[str, Any] = dict(graphs)
        self.middle = middle

    @property
    def refines_boxes(self) -> bool:
        return 'box' in self.graphs

    @property
    def makes_masks(self) -> bool:
        return 'mask' in self.graphs

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        # What learns from the video is small, and PyTorch's threads would
        # wait for the runtime's, which go on spinning.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    def template(self, crop: np.ndarray) -> Arrays:
        # A runtime may use the same memory for the next target.
        found = {
            name: values.copy()
            for name, values in self.graphs['template'](
                dict(template=crop[None])).items()
        }
        for name, values in found.items():
            if not np.isfinite(values).all():
                raise ExportError(FINITE.format(name))
        return found

    def search(self, templates: Sequence[Arrays], crops: np.ndarray,
               learnt: Sequence[tuple]) -> SearchOutput:
        graph = self.graphs['search']
        with stage('network'):
            if len(crops) == 1:
                found = graph(dict(templates[0], search=crops))
            else:
                each = [{
                    name: values.copy()
                    for name, values in graph(
                        dict(template, search=crop[None])).items()
                } for template, crop in zip(templates, crops)]
                found = {
                    name: np.concatenate([one[name] for one in each])
                    for name in each[0]
                }
        features = tuple(
            tuple(
                channels_first(torch.from_numpy(found[name]))
                for name in feature_names(part, len(found)) if name in found)
            for part in self.parts)
        responses = self.respond(features, learnt,
                                 found['cls_score'].shape[-1])
        return SearchOutput(
            found['cls_score'], found['bbox_pred'],
            tuple(r if r is None else r.numpy() for r in responses), features,
            found)

    def refine_boxes(self, fused: Arrays, boxes: np.ndarray) -> np.ndarray:
        middle = np.array([self.middle] * 2 + [0, 0])
        with stage('refinement box'):
            return np.concatenate([
                self.graphs['box']({
                    FUSED_BOX: fused[FUSED_BOX][i:i + 1],
                    'box': box[None]
                })['refined'].astype(np.float64)
                for i, box in enumerate((boxes + middle).astype(np.float32))
            ]) - middle

    def segment(self, fused: Arrays, boxes: np.ndarray) -> np.ndarray:
        rois = mask_rois(boxes, self.middle)
        rois[:, 0] = 0  # each has its own map
        with stage('mask'):
            return np.concatenate([
                self.graphs['mask']({
                    FUSED_MASK: fused[FUSED_MASK][i:i + 1],
                    'roi': roi[None]
                })['mask'] for i, roi in enumerate(rois)
            ])
