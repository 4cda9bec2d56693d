"""NanoTrack v3 as a tracker to be compared with."""
from typing import Sequence

import cv2
import numpy as np
from scipy.special import logit

from siamattn_mm.apis.tracker import Result
from siamattn_mm.datasets.reading.ground_truth import enclosing_boxes
from siamattn_mm.models.task_modules.selection import pick, rank
from siamattn_mm.structures.search_window import SearchWindow
from siamattn_mm.teachers import NanoTrackNetwork

# As published with the weights.
PENALTY_K = 0.138
WINDOW_INFLUENCE = 0.455
LR = 0.348
# Of crops and of a box, in pixels.
TEMPLATE_SIZE, SEARCH_SIZE, CONTEXT, MIN_SIZE = 127, 255, 0.5, 10.


class NanoTrack:
    """A tracker with ``init`` and ``update``, as ours have them.

    Windows of whole pixels, a penalty for a change of size and aspect, a
    Hanning window and smoothed sizes: SiamRPN's way, by which NanoTrack's
    figures are reported.

    Args:
        network (NanoTrackNetwork): Its ONNX files.
    """

    def __init__(self, network: NanoTrackNetwork) -> None:
        self.network = network

    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take a target from a frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.
            bbox (Sequence[float]): x, y, w, h in pixels, or the corners of a
                polygon, x1, y1, x2, y2, ..., whose upright box is taken.
        """
        values = np.asarray(bbox, float)
        if values.size > 4:
            values = enclosing_boxes(values[None])[0]
        self._box = np.concatenate(
            [values[:2] + (values[2:] - 1) / 2, values[2:]])
        self._pad = cv2.mean(np.ascontiguousarray(frame))[:3]
        window = SearchWindow.around(self._box, TEMPLATE_SIZE, TEMPLATE_SIZE,
                                     CONTEXT)
        self._template = self.network.features(window.crop(frame, self._pad))

    def update(self, frame: np.ndarray) -> Result:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.

        Returns:
            Result: Box and score, no mask.
        """
        window = SearchWindow.around(self._box, SEARCH_SIZE, TEMPLATE_SIZE,
                                     CONTEXT)
        scores, bboxes = self.network(self._template,
                                      window.crop(frame, self._pad))
        low, high = np.split(bboxes.reshape(-1, 4).astype(float), 2, axis=1)
        boxes = np.concatenate([(low + high) / 2 - (SEARCH_SIZE - 1) / 2,
                                np.maximum(high - low, 1)], 1)
        hanning = np.hanning(len(scores))
        ranking = rank(
            _as_logits(scores), boxes,
            np.outer(hanning, hanning).ravel(), self._box[2:] * window.scale,
            PENALTY_K, WINDOW_INFLUENCE)
        best = pick(ranking)
        lr = best.penalty * best.score * LR
        found = window.to_image(best.bbox, rounded=False)
        last = np.array(frame.shape[1::-1]) - 1
        self._box = np.concatenate([
            np.clip(found[:2], 0, last),
            np.clip(self._box[2:] * (1 - lr) + found[2:] * lr, MIN_SIZE, last)
        ])
        centre, size = self._box[:2], self._box[2:]
        return Result(
            np.concatenate([centre - size / 2, size]), best.score, None, None)


def _as_logits(scores: np.ndarray) -> np.ndarray:
    """Logits (2, H, W) of :func:`rank` with these probabilities."""
    logits = logit(scores.astype(float).clip(1e-9, 1 - 1e-9))
    return np.stack([np.zeros_like(logits), logits])
