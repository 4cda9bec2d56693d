"""One-pass evaluation of whole sequences, with result files."""
import json
import os
import os.path as osp
import shutil
import time
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmengine.logging import MMLogger
from mmtrack.evaluation.metrics import BaseVideoMetric
from mmtrack.registry import METRICS

from siamattn_mm.datasets.reading.ground_truth import enclosing_boxes
from siamattn_mm.datasets.reading.image_reader import ImageReader

from ..functional import region_similarity
from ..result_files import write_atomically, write_mask, write_rows
from ..sequence_record import SequenceRecord
from ..sequence_scores import (
    average_by_attribute,
    average_scores,
    format_attribute_table,
    format_table,
    score_sequence,
)
from .data_samples import (
    check_mask_shape,
    out_of_order,
    predicted_mask,
    runner_work_dir,
    sequence_name,
    to_numpy,
    to_xywh,
    true_mask,
)
from .sequence_files import SequenceFilesMixin

# What a sequence's result files end with.
_KINDS = ('.txt', '_score.txt', '_time.txt')


@METRICS.register_module()
class OPEMetric(SequenceFilesMixin, BaseVideoMetric):
    """Success, precision, AO, SR, J and speed; a file of boxes per sequence.

    The figures, see :func:`siamattn_mm.evaluation.evaluate_ope`, are computed
    for each sequence and averaged over the sequences. Frames without the
    target do not count in them. Ground truth with 8 numbers is compared as
    the upright rectangle around the corners.

    As soon as a sequence is complete, these are written, a line per frame:

    - ``<results_dir>/<sequence>.txt``: the boxes, ``x,y,w,h``;
    - ``<results_dir>/<sequence>_score.txt``: the tracker's scores;
    - ``<results_dir>/<sequence>_time.txt``: seconds in the tracker
      (GOT-10k's format), if the model says them (``track_time`` in the
      metainfo of its output).

    If the data set's meta information has ``attributes``, a dict from
    sequence to list, there is a table by attribute, too, and the dict is
    written to ``<results_dir>/attributes.json``.

    Frames must come in order, a sequence after another, as mmtrack's
    ``VideoSampler`` gives them.

    Args:
        results_dir (str, optional): Where the files go. Defaults to None:
            ``results`` in the work dir of the running Runner.
        save_masks (bool): Whether to write predicted masks as well, to
            ``<results_dir>/<sequence>/<image name>.png``, 0 and 255.
            Defaults to False.
        format_only (bool): Whether to write the files and compute no figure
            but the speed, as where the ground truth is on a server.
            Defaults to False.
        absent_frames (str): How frames without the target count in success
            and precision, see
            :func:`siamattn_mm.evaluation.evaluate_ope`. Defaults to 'skip':
            nowhere.
        ao (str): How AO and SR are taken. ``'sequences'``: of whole boxes,
            as means over the sequences, like the other figures.
            ``'got10k'``: as the toolkit and the server of GOT-10k: of what
            is inside the image, as means over the frames of all sequences
            together. Defaults to 'sequences'.
        mask_exclude_first (bool): Leave the first frame of each sequence out
            of J. Defaults to True, as DAVIS.
        mask_exclude_last (bool): Leave the last frame of each sequence out of
            J. Defaults to True, as DAVIS.
        collect_device (str): See mmengine's ``BaseMetric``.
            Defaults to 'cpu'.
        prefix (str, optional): Put before the names of the figures.
            Defaults to None: 'sot', as mmtrack's ``SOTMetric``.

    Raises:
        ValueError: If ``ao`` is something else.
    """
    default_prefix = 'sot'

    def __init__(self,
                 results_dir: Optional[str] = None,
                 save_masks: bool = False,
                 format_only: bool = False,
                 absent_frames: str = 'skip',
                 ao: str = 'sequences',
                 mask_exclude_first: bool = True,
                 mask_exclude_last: bool = True,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if ao not in ('sequences', 'got10k'):
            raise ValueError(f'ao={ao!r}: expected \'sequences\' or '
                             '\'got10k\'')
        self.results_dir = results_dir
        self.save_masks = save_masks
        self.format_only = format_only
        self.absent_frames = absent_frames
        self.ao = ao
        self.mask_exclude_first = mask_exclude_first
        self.mask_exclude_last = mask_exclude_last
        self._mask_reader = ImageReader()
        self._record = None
        self._last_time = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take in the next frames.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): The model's outputs as dicts, with
                ``instances``, ``pred_track_instances`` and the metainfo.

        Raises:
            ValueError: If the frames come in another order, or a true mask
                has another size than the predicted one.
            UnreadableFrameError: If a true mask cannot be read.
        """
        for data_sample in data_samples:
            record = self._record_of(data_sample)
            wall_time = None
            if data_sample['frame_id'] > 0:
                wall_time = time.perf_counter() - self._last_time
            prediction = data_sample['pred_track_instances']
            record.add(
                to_xywh(to_numpy(prediction['bboxes'])[0]),
                _truth(data_sample['instances'][0]),
                float(prediction['scores'][0]),
                track_time=data_sample.get('track_time'),
                wall_time=wall_time,
                mask_iou=self._compare_masks(data_sample, prediction, record))
            if record.complete:
                self._write(record)
                self.results.append(record)
                self._record = None
            self._last_time = time.perf_counter()

    def compute_metrics(self, results: List[SequenceRecord]) -> Dict:
        """Compute and print the figures.

        Args:
            results (list[SequenceRecord]): All complete sequences.

        Returns:
            dict[str, float]: See :func:`average_scores`.

        Raises:
            ValueError: If no sequence is complete.
        """
        if not results:
            raise ValueError('no sequence was tracked to its end: there is '
                             'nothing to evaluate')
        records = sorted(results, key=lambda record: record.video_id)
        logger: MMLogger = MMLogger.get_current_instance()
        scores = [
            score_sequence(record, self.mask_exclude_first,
                           self.mask_exclude_last, self.absent_frames,
                           self.ao)
            for record in records
        ]
        mean = average_scores(records, scores, self.ao)
        if self.format_only:
            # There is no truth to compare with.
            mean = {k: v for k, v in mean.items() if k.startswith('fps')}
        else:
            logger.info('\n' + format_table(records, scores, mean))
        attributes = (self.dataset_meta or {}).get('attributes')
        if attributes:
            path = osp.join(self._results_dir(), 'attributes.json')
            write_atomically(path, json.dumps(attributes, indent=1).encode())
        if attributes and not self.format_only:
            table = average_by_attribute(records, scores, attributes,
                                         self.ao)
            logger.info('\n' + format_attribute_table(table))
        logger.info(f'results of each sequence are in {self._results_dir()}')
        return mean

    def has_files(self, results: List[SequenceRecord]) -> bool:
        """Whether all files of a finished sequence are there.

        Args:
            results (list[SequenceRecord]): Its record.

        Returns:
            bool: False if it must be tracked again.
        """
        if len(results) != 1:
            return False
        record = results[0]
        base = osp.join(self._results_dir(), record.name)
        kinds = [
            kind for kind in _KINDS
            if kind != '_time.txt' or not np.isnan(record.track_times).any()
        ]
        num_masks = record.num_masks if self.save_masks else 0
        return all(osp.isfile(base + kind) for kind in kinds) and (
            num_masks == 0 or osp.isdir(base) and sum(
                name.endswith('.png') and not name.startswith('.')
                for name in os.listdir(base)) == num_masks)

    def remove_files(self, sequence: str) -> None:
        """Remove what an earlier run has written of a sequence.

        Args:
            sequence (str): Its name.
        """
        base = osp.join(self._results_dir(), sequence)
        for kind in _KINDS:
            if osp.isfile(base + kind):
                os.remove(base + kind)
        if self.save_masks and osp.isdir(base):
            shutil.rmtree(base)

    def _record_of(self, data_sample: dict) -> SequenceRecord:
        """The record that this frame continues, or a new one."""
        frame_id = data_sample['frame_id']
        video_id = data_sample['video_id']
        # A sequence that an interrupted run left incomplete is dropped.
        if frame_id == 0:
            self._results_dir()  # fails now, not after the first sequence
            self._record = SequenceRecord(
                sequence_name(data_sample), video_id,
                data_sample['video_length'], self._image_size(data_sample))
        record = self._record
        if (record is None or record.video_id != video_id
                or record.num_frames != frame_id):
            raise out_of_order(data_sample, 'OPEMetric')
        return record

    def _image_size(self, data_sample: dict) -> Optional[Tuple[int, int]]:
        """Width and height of the frame, if they are needed."""
        if self.ao != 'got10k':
            return None
        if 'ori_shape' not in data_sample:
            raise ValueError(
                f'{data_sample["img_path"]}: no ori_shape in the metainfo, '
                'which OPEMetric(ao=\'got10k\') needs (meta_keys of '
                'PackTrackInputs)')
        height, width = data_sample['ori_shape'][:2]
        return width, height

    def _compare_masks(self, data_sample: dict, prediction: dict,
                       record: SequenceRecord) -> Optional[float]:
        """J of this frame; None where it is not annotated."""
        mask = predicted_mask(prediction)
        if mask is not None:
            record.num_masks += 1
            if self.save_masks:
                stem = osp.splitext(osp.basename(data_sample['img_path']))[0]
                write_mask(
                    osp.join(self._results_dir(), record.name, f'{stem}.png'),
                    mask)
        if not data_sample['instances'][0]['visible']:
            return None
        truth = true_mask(self._mask_reader, data_sample)
        if truth is None:
            return None
        if mask is None:
            # Counts only if the tracker gives masks in other frames.
            return 0.
        check_mask_shape(mask, truth, data_sample)
        return region_similarity(mask, truth)

    def _write(self, record: SequenceRecord) -> None:
        base = osp.join(self._results_dir(), record.name)
        write_rows(f'{base}_score.txt', record.scores, decimals=6)
        if not np.isnan(record.track_times).any():
            write_rows(f'{base}_time.txt', record.track_times, decimals=6)
        # Last, so that a sequence that has it has all of them.
        write_rows(f'{base}.txt', record.pred, decimals=4)

    def _results_dir(self) -> str:
        if self.results_dir is not None:
            return self.results_dir
        return osp.join(runner_work_dir('OPEMetric'), 'results')


def _truth(instance: dict) -> np.ndarray:
    """(4,) x, y, w, h of an annotated frame, nan where absent."""
    if not instance['visible']:
        return np.full(4, np.nan)
    bbox = np.asarray(instance['bbox'], dtype=np.float64)
    return enclosing_boxes(bbox) if len(bbox) == 8 else to_xywh(bbox)
