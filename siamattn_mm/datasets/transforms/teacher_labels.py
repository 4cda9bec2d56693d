"""What a published tracker says of a training pair."""
from typing import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmtrack.registry import TRANSFORMS

from siamattn_mm.teachers import NanoTrackNetwork


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
        backbone (str): See :class:`NanoTrackNetwork`.
        head (str): See :class:`NanoTrackNetwork`.
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
        try:
            self.network = NanoTrackNetwork(backbone, head)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f'{error}. Set backbone and head of TeacherLabels') from None
        self.relabel = tuple(relabel)
        self.min_score = min_score

    def transform(self, results: dict) -> dict:
        """Label a pair.

        Args:
            results (dict): With ``img``, a (127, 127, 3) and a (255, 255, 3)
                uint8 BGR crop.

        Returns:
            dict: The same dict.
        """
        template, search = results['img']
        scores, bboxes = self.network(
            self.network.features(template), search)
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

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(backbone={self.network.backbone!r}, '
                f'head={self.network.head!r}, relabel={self.relabel}, '
                f'min_score={self.min_score})')
