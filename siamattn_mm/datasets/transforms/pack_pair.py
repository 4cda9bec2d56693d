"""A finished pair in the form that mmtrack's models take."""
from typing import Optional, Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from mmtrack.registry import TRANSFORMS
from mmtrack.structures import TrackDataSample

# Of a search crop, where `TeacherLabels` has been.
TEACHER_KEYS = ('teacher_scores', 'teacher_bboxes')


@TRANSFORMS.register_module()
class PackSOTPair(BaseTransform):
    """Pack the crops of a pair as mmtrack's ``PackTrackInputs`` would.

    Does what ``PackTrackInputs(ref_prefix='search', num_template_frames=1)``
    does for a pair, and leaves out masks that are not there.

    Required Keys: img, gt_bboxes, gt_bboxes_labels, gt_masks

    Returned Keys:

    - inputs: ``img`` (1, 3, Z, Z) and ``search_img`` (1, 3, X, X) uint8
      tensors
    - data_samples (TrackDataSample): ``gt_instances`` and
      ``search_gt_instances`` with ``bboxes`` (1, 4) float32 x1, y1, x2, y2 in
      crop pixels, ``labels`` (1,) int64, 1 for the same object in both crops
      and 0 for two objects, and ``masks`` (BitmapMasks (1, S, S)) if known;
      ``search_gt_instances`` also ``teacher_scores`` (1, 15, 15) and
      ``teacher_bboxes`` (1, 15, 15, 4) of ``TeacherLabels``

    Args:
        meta_keys (Sequence[str]): Keys that are kept in the sample's metainfo
            if the pair has them. Defaults to ('img_path', 'search_img_path',
            'source', 'sample_id', 'flip').
    """

    def __init__(self,
                 meta_keys: Sequence[str] = ('img_path', 'search_img_path',
                                             'source', 'sample_id', 'flip')
                 ) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack a pair.

        Args:
            results (dict): A pair, see the class.

        Returns:
            dict: ``inputs`` and ``data_samples``.
        """
        inputs = {
            key: torch.from_numpy(
                np.ascontiguousarray(img.transpose(2, 0, 1)))[None]
            for key, img in zip(('img', 'search_img'), results['img'])
        }
        sample = TrackDataSample(metainfo={
            key: results[key]
            for key in self.meta_keys if key in results
        })
        sample.gt_instances, sample.search_gt_instances = (
            self._instances(*values) for values in zip(
                results['gt_bboxes'], results['gt_bboxes_labels'],
                results['gt_masks']))
        for key in TEACHER_KEYS:
            if key in results:
                sample.search_gt_instances[key] = torch.from_numpy(
                    results[key])[None]
        return dict(inputs=inputs, data_samples=sample)

    @staticmethod
    def _instances(bboxes: np.ndarray, labels: np.ndarray,
                   mask: Optional[np.ndarray]) -> InstanceData:
        instances = InstanceData(
            bboxes=torch.from_numpy(bboxes), labels=torch.from_numpy(labels))
        if mask is not None:
            instances.masks = BitmapMasks(mask[None], *mask.shape)
        return instances

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'
