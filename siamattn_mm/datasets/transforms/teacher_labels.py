"""What a published tracker says of a training pair."""
import os.path as osp
from typing import Any, Sequence, Tuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS

# Of NanoTrack's maps, in crop pixels.
STRIDE = 16


@TRANSFORMS.register_module()
class TeacherLabels(BaseTransform):
    """Label a pair by NanoTrack, read from its published ONNX files.

    It gives a score and a box for each cell of a map over the search crop,
    which ``TeacherBoxLoss`` learns from. The search box of pairs that nobody
    annotated (``relabel``) becomes the teacher's own. Put it behind
    ``SiamPairCrop`` and before what changes the colours: labels are best on
    clean crops. Needs onnxruntime (``requirements/deploy.txt``).

    Required Keys: img, gt_bboxes (x1, y1, x2, y2 in the crop), source

    Modified Keys: gt_bboxes

    Added Keys:

    - teacher_scores: (15, 15) float32, 0..1
    - teacher_bboxes: (15, 15, 4) float32, x1, y1, x2, y2 in crop pixels

    Source: https://github.com/HonglinChu/SiamTrackers, NanoTrack v3.

    Args:
        backbone (str): ONNX file of the backbone: 127 and 255 pixel BGR crops
            to maps.
        head (str): ONNX file of the head: template and search maps to logits
            (1, 2, 15, 15) and distances left, top, right, bottom
            (1, 4, 15, 15).
        relabel (Sequence[str]): Sources whose pairs have no annotation.
            Defaults to ().
        min_score (float): Teacher's best score for a new box. Defaults to
            0.5.

    Raises:
        FileNotFoundError: If a file is not there.
    """

    def __init__(self,
                 backbone: str,
                 head: str,
                 relabel: Sequence[str] = (),
                 min_score: float = 0.5) -> None:
        for path in (backbone, head):
            if not osp.isfile(path):
                raise FileNotFoundError(
                    f'no teacher {path}: set the backbone and head of '
                    'TeacherLabels to NanoTrack\'s ONNX files')
        self.backbone = backbone
        self.head = head
        self.relabel = tuple(relabel)
        self.min_score = min_score
        self._graphs = None

    def transform(self, results: dict) -> dict:
        """Label a pair.

        Args:
            results (dict): With ``img``, a (127, 127, 3) and a (255, 255, 3)
                uint8 BGR crop.

        Returns:
            dict: The same dict.
        """
        scores, bboxes = self._ask(*results['img'])
        results['teacher_scores'] = scores
        results['teacher_bboxes'] = bboxes
        if results['source'] in self.relabel:
            best = np.unravel_index(scores.argmax(), scores.shape)
            if (scores[best] >= self.min_score
                    and results['gt_bboxes_labels'][1][0]):
                side = results['img'][1].shape[0]
                results['gt_bboxes'][1] = bboxes[best][None].clip(
                    -0.5, side - 0.5)
        return results

    def _ask(self, template: np.ndarray,
             search: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        backbone, head = self._open()
        maps = [
            backbone.run(
                None, {
                    'input':
                    img.transpose(2, 0, 1)[None].astype(np.float32)
                })[0] for img in (template, search)
        ]
        logits, distances = head.run(None,
                                     dict(input1=maps[0], input2=maps[1]))
        scores = 1 / (1 + np.exp(logits[0, 0] - logits[0, 1]))
        size = scores.shape[0]
        middle = (search.shape[0] - 1) / 2
        places = (np.arange(size) - size // 2) * STRIDE + middle
        x, y = np.meshgrid(places, places)
        left, top, right, bottom = distances[0]
        bboxes = np.stack([x - left, y - top, x + right, y + bottom], -1)
        return scores.astype(np.float32), bboxes.astype(np.float32)

    def _open(self) -> Tuple[Any, Any]:
        # At the first pair: a worker's own, with one thread.
        if self._graphs is None:
            from siamattn_mm.deploy.files import require
            runtime = require('onnxruntime')
            options = runtime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._graphs = tuple(
                runtime.InferenceSession(
                    path, options, providers=['CPUExecutionProvider'])
                for path in (self.backbone, self.head))
        return self._graphs

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _graphs=None)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(backbone={self.backbone!r}, '
                f'head={self.head!r}, relabel={self.relabel}, '
                f'min_score={self.min_score})')
