"""J, F and J&F of DAVIS."""
from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from mmengine.logging import MMLogger
from mmtrack.evaluation.metrics import BaseVideoMetric
from mmtrack.registry import METRICS
from tabulate import tabulate

from siamattn_mm.datasets.reading.image_reader import ImageReader

from ..functional.davis import (
    boundary_measure,
    evaluate_object,
    region_similarity,
)
from .data_samples import (
    check_mask_shape,
    out_of_order,
    predicted_mask,
    sequence_name,
    true_mask,
)


class _Record(NamedTuple):
    """J and F of one object in one sequence, frame by frame."""
    name: str
    video_id: int
    length: int
    region: List[float]
    boundary: List[float]


@METRICS.register_module()
class DAVISMetric(BaseVideoMetric):
    """Mean, recall and decay of J and F, and J&F, of one object a sequence.

    The figures, see :func:`siamattn_mm.evaluation.evaluate_object`, are
    computed for each sequence and averaged over the sequences. The true masks
    are files, named by ``mask_path`` in the metainfo (``SOTFolderDataset``);
    above 0 is the target, or, if the metainfo has an ``object_id``, that
    value. ``SyntheticSOTDataset`` has them in the metainfo instead. A frame
    without a predicted mask counts with an empty one. :class:`OPEMetric`
    writes the predicted masks.

    Args:
        exclude_first (bool): Leave the first frame out, where the tracker is
            given the target. Defaults to True, as the official evaluation.
        exclude_last (bool): Leave the last frame out. Defaults to True, as
            the official evaluation.
        collect_device (str): See mmengine's ``BaseMetric``.
            Defaults to 'cpu'.
        prefix (str, optional): Put before the names of the figures.
            Defaults to None: 'davis'.
    """
    default_prefix = 'davis'

    def __init__(self,
                 exclude_first: bool = True,
                 exclude_last: bool = True,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.exclude_first = exclude_first
        self.exclude_last = exclude_last
        self._reader = ImageReader()
        self._record: Optional[_Record] = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take in the next frames.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): The model's outputs as dicts.

        Raises:
            ValueError: If the frames come in another order, a frame names no
                true mask, or it has another size than the predicted one.
            UnreadableFrameError: If a true mask cannot be read.
        """
        for data_sample in data_samples:
            record = self._record_of(data_sample)
            truth = self._truth(data_sample)
            pred = predicted_mask(data_sample['pred_track_instances'])
            if pred is None:
                pred = np.zeros_like(truth)
            check_mask_shape(pred, truth, data_sample)
            record.region.append(region_similarity(pred, truth))
            record.boundary.append(boundary_measure(pred, truth))
            if len(record.region) == record.length:
                self.results.append(record)
                self._record = None

    def compute_metrics(self, results: List[_Record]) -> Dict[str, float]:
        """Compute and print the figures.

        Args:
            results (list): All complete sequences.

        Returns:
            dict[str, float]: Keys of :func:`evaluate_object`, means over the
            sequences.

        Raises:
            ValueError: If no sequence is complete.
        """
        if not results:
            raise ValueError('no sequence was tracked to its end: there is '
                             'nothing to evaluate')
        records = sorted(results, key=lambda record: record.video_id)
        scores = [
            evaluate_object(
                self._counted(record.region), self._counted(record.boundary))
            for record in records
        ]
        mean = {
            key: float(np.mean([score[key] for score in scores]))
            for key in scores[0]
        }
        rows = [[record.name, record.length]
                + [f'{value:.3f}' for value in score.values()]
                for record, score in zip(records, scores)]
        rows.append([f'mean of {len(records)}',
                     sum(record.length for record in records)]
                    + [f'{value:.3f}' for value in mean.values()])
        logger: MMLogger = MMLogger.get_current_instance()
        logger.info('\n' + tabulate(
            rows,
            headers=['sequence', 'frames']
            + [key.replace('_', ' ') for key in mean],
            disable_numparse=True,
            colalign=['left'] + ['right'] * (len(mean) + 1)))
        return mean

    def _record_of(self, data_sample: dict) -> _Record:
        frame_id = data_sample['frame_id']
        video_id = data_sample['video_id']
        if frame_id == 0:
            self._record = _Record(
                sequence_name(data_sample), video_id,
                data_sample['video_length'], [], [])
        record = self._record
        if (record is None or record.video_id != video_id
                or len(record.region) != frame_id):
            raise out_of_order(data_sample, 'DAVISMetric')
        return record

    def _truth(self, data_sample: dict) -> np.ndarray:
        truth = true_mask(self._reader, data_sample)
        if truth is None:
            raise ValueError(
                f'{data_sample["img_path"]}: this frame names no true mask; '
                'DAVISMetric needs mask_path in the metainfo (meta_keys of '
                'PackTrackInputs) of a data set with masks')
        return truth

    def _counted(self, values: List[float]) -> np.ndarray:
        end = len(values) - int(self.exclude_last)
        return np.array(values[int(self.exclude_first):end])
