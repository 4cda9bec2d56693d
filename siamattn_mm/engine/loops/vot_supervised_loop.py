"""A test loop that starts a tracker again after it lost the target."""
from typing import Any

import numpy as np
import torch
from mmengine.runner import TestLoop
from mmengine.structures import BaseDataElement, InstanceData
from mmtrack.registry import LOOPS

from siamattn_mm.evaluation.functional import region_overlap
from siamattn_mm.evaluation.functional.vot import (
    FAILED,
    INITIALISED,
    SKIP_FRAMES,
    SKIPPED,
    TRACKED,
)
from siamattn_mm.evaluation.metrics.data_samples import to_numpy, to_xywh

_REGIONS = ('polygon', 'box')


@LOOPS.register_module()
class VOTSupervisedLoop(TestLoop):
    """VOT's supervised experiment with any tracker of mmtrack.

    Frames come in order, a sequence after another, as mmtrack's
    ``VideoSampler`` gives them. Where the predicted region has no pixel in
    common with the true one, the tracker has failed; it is given the target
    again ``skip_frames`` frames later, and is not asked in between. A tracker
    starts at every frame that is number 0 of its sequence, so that is what
    the frame of a restart is called while the model has it.

    Each output gets, in its metainfo, ``vot_state`` (see
    :mod:`siamattn_mm.evaluation.functional.vot`), ``vot_overlap``,
    ``vot_repetition`` (from 0) and ``vot_region``, an array of 4 (x, y, w, h)
    or 8 numbers. :class:`VOTSupervisedMetric` takes it from there.

    Args:
        runner (Runner): The runner.
        dataloader (DataLoader | dict): Of a data set in test mode.
        evaluator (Evaluator | dict | list): With a ``VOTSupervisedMetric``.
        repetitions (int): Passes over the data. VOT asks for 15 of a
            stochastic tracker; for a deterministic one, as SiamAttn is, they
            would all be equal. Defaults to 1.
        skip_frames (int): From a failure to the restart. Defaults to 5.
        region (str): ``'polygon'``, the rotated box where the tracker gives
            one, or ``'box'``. Defaults to 'polygon'.
        fp16 (bool): As ``TestLoop``. Defaults to False.

    Raises:
        ValueError: If a number is less than 1, or ``region`` is unknown.
    """

    def __init__(self,
                 runner: Any,
                 dataloader: Any,
                 evaluator: Any,
                 repetitions: int = 1,
                 skip_frames: int = SKIP_FRAMES,
                 region: str = 'polygon',
                 fp16: bool = False) -> None:
        for name, value in (('repetitions', repetitions),
                            ('skip_frames', skip_frames)):
            if value < 1:
                raise ValueError(f'{name} must be at least 1, but got {value}')
        if region not in _REGIONS:
            raise ValueError(f'region must be one of {", ".join(_REGIONS)}, '
                             f'but got {region!r}')
        super().__init__(runner, dataloader, evaluator, fp16)
        self.repetitions = repetitions
        self.skip_frames = skip_frames
        self.region = region
        self._repetition = 0
        self._next_start = 0

    def run(self) -> dict:
        """Track all sequences, as often as wanted.

        Returns:
            dict: The figures.
        """
        self.runner.call_hook('before_test')
        self.runner.call_hook('before_test_epoch')
        self.runner.model.eval()
        for repetition in range(self.repetitions):
            self._repetition = repetition
            for idx, data_batch in enumerate(self.dataloader):
                self.run_iter(idx, data_batch)
        metrics = self.evaluator.evaluate(len(self.dataloader.dataset))
        self.runner.call_hook('after_test_epoch', metrics=metrics)
        self.runner.call_hook('after_test')
        return metrics

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """One frame.

        Args:
            idx (int): Its number in the data loader.
            data_batch (dict): ``inputs`` and one of ``data_samples``.

        Raises:
            ValueError: If there is more than one frame, or the target is
                absent in it.
        """
        sample = _only_sample(data_batch)
        frame_id = sample.metainfo['frame_id']
        if frame_id == 0:
            self._next_start = 0
        truth = _truth(sample)
        self.runner.call_hook(
            'before_test_iter', batch_idx=idx, data_batch=data_batch)
        region, overlap = None, 0.
        if frame_id < self._next_start:
            state = SKIPPED
            outputs = [_not_asked(sample)]
        elif frame_id == self._next_start:
            state = INITIALISED
            sample.set_metainfo(dict(frame_id=0))
            outputs = self.runner.model.test_step(data_batch)
            for one in (sample, outputs[0]):
                one.set_metainfo(dict(frame_id=frame_id))
        else:
            state = TRACKED
            outputs = self.runner.model.test_step(data_batch)
            region = _predicted(outputs[0], self.region)
            height, width = sample.metainfo['ori_shape'][:2]
            overlap = region_overlap(region, truth, (width, height))
            if overlap == 0:
                state = FAILED
                self._next_start = frame_id + self.skip_frames
        outputs[0].set_metainfo(
            dict(
                vot_state=state,
                vot_overlap=overlap,
                vot_repetition=self._repetition,
                vot_region=region))
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            'after_test_iter',
            batch_idx=idx,
            data_batch=data_batch,
            outputs=outputs)


def _only_sample(data_batch: dict) -> BaseDataElement:
    samples = data_batch['data_samples']
    if len(samples) != 1:
        raise ValueError('VOTSupervisedLoop takes one frame at a time '
                         f'(batch_size=1), but got {len(samples)}')
    return samples[0]


def _truth(sample: BaseDataElement) -> np.ndarray:
    """(4,) x, y, w, h or (8,) corners."""
    instance = sample.metainfo['instances'][0]
    if not instance['visible']:
        raise ValueError(
            f'{sample.metainfo["img_path"]}: the target is absent, but VOT\'s '
            'supervised protocol needs it in every frame; leave this sequence '
            'out')
    return _xywh(np.asarray(instance['bbox'], np.float64))


def _predicted(sample: BaseDataElement, region: str) -> np.ndarray:
    instances = sample.pred_track_instances
    if region == 'polygon' and 'polygons' in instances:
        return np.float64(to_numpy(instances.polygons[0])).ravel()
    return _xywh(np.float64(to_numpy(instances.bboxes[0])))


def _not_asked(sample: BaseDataElement) -> BaseDataElement:
    """What hooks and metrics look at, without anything predicted."""
    sample.pred_track_instances = InstanceData(
        bboxes=torch.zeros(0, 4), scores=torch.zeros(0))
    return sample


def _xywh(region: np.ndarray) -> np.ndarray:
    """Corners of a rectangle become x, y, w, h; polygons stay."""
    return to_xywh(region) if region.size == 4 else region
