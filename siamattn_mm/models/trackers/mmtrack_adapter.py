"""How mmtrack's test loop drives a tracking session."""
import time
from typing import Dict, Optional

import numpy as np
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from torch import Tensor, nn

from .frame_step import TrackResult
from .session import TrackingSession


class VideoPredictor(nn.Module):
    """The part of a model that tracks a video frame by frame for mmtrack.

    Of a video it keeps the session alone, from its first frame on.
    """
    _session: Optional[TrackingSession] = None

    def new_session(self) -> TrackingSession:
        """Begin a video.

        Returns:
            TrackingSession: With this model as its network, and its
            ``test_cfg`` as it is now.
        """
        raise NotImplementedError

    def predict(self, inputs: Dict[str, Tensor], data_samples: list,
                **kwargs) -> list:
        """Track one frame of a video, as mmtrack's test loop asks.

        The first frame's ground truth initialises the tracker.

        Args:
            inputs (dict[str, Tensor]): ``img`` (1, 1, 3, H, W) uint8, BGR.
            data_samples (list[TrackDataSample]): One.

        Returns:
            list[TrackDataSample]: With ``pred_track_instances``: ``bboxes``
            (1, 4), xyxy in pixels, ``scores`` (1,), -1 for the first frame,
            and, behind the first frame with a mask head, ``masks`` (1, H, W)
            and ``polygons`` (1, 4, 2); ``track_time`` in its meta
            information: seconds from the frame to the result.

        Raises:
            RuntimeError: If the first frame is missing.
            ValueError: If the batch holds more than one frame, or the frame
                has no number.
        """
        frames = inputs['img']
        if frames.dim() != 5 or len(frames) != 1:
            raise ValueError('testing takes one frame at a time, inputs["img"]'
                             f' of shape (1, 1, 3, H, W), but got '
                             f'{tuple(frames.shape)}')
        sample = data_samples[0]
        frame_id = sample.metainfo.get('frame_id', -1)
        if frame_id < 0:
            raise ValueError('the data sample has no frame_id: use mmtrack\'s '
                             'VideoSampler and PackTrackInputs')
        # A view: (C, H, W) with the strides of (H, W, C).
        frame = frames[0, 0].permute(1, 2, 0).cpu().numpy()

        start = time.perf_counter()
        if frame_id == 0:
            bbox = xywh_of(sample.gt_instances.bboxes.flatten().cpu().numpy())
            self._session = self.new_session()
            self._session.start(frame, bbox)
            result = TrackResult(bbox, -1., None, None)
        elif self._session is None:
            raise RuntimeError(f'frame {frame_id} came before the first one, '
                               'which gives the target')
        else:
            result = self._session.step(frame)
        sample.set_metainfo(dict(track_time=time.perf_counter() - start))
        sample.pred_track_instances = _instances(result)
        return data_samples


def _instances(result: TrackResult) -> InstanceData:
    bbox = torch.from_numpy(np.asarray(result.bbox, np.float64))
    centre = bbox.clone()
    centre[:2] += bbox[2:] / 2
    instances = InstanceData(
        bboxes=bbox_cxcywh_to_xyxy(centre)[None].float(),
        scores=torch.tensor([result.score]))
    if result.pasted_mask is not None:
        instances.masks = torch.from_numpy(result.pasted_mask.full())[None]
        instances.polygons = torch.from_numpy(result.polygon)[None]
    return instances


def xywh_of(region: np.ndarray) -> np.ndarray:
    """Axis-aligned box of a region, to initialise the tracker with.

    Args:
        region (np.ndarray): (4,) xyxy, or (8,) x, y of four corners.

    Returns:
        np.ndarray: (4,) float64, xywh. A polygon becomes the box of the same
        centre and area, with the aspect of its bounding rectangle, as in the
        VOT toolkits.

    Raises:
        ValueError: If there are neither 4 nor 8 numbers.
    """
    region = np.asarray(region, np.float64).ravel()
    if region.size == 4:
        return np.concatenate([region[:2], region[2:] - region[:2]])
    if region.size != 8:
        raise ValueError('a region is 4 numbers (xyxy) or 8 (polygon), '
                         f'but got {region.size}')
    corners = region.reshape(4, 2)
    extent = corners.max(0) - corners.min(0)
    area = np.linalg.norm(corners[0] - corners[1]) * np.linalg.norm(
        corners[1] - corners[2])
    size = extent * np.sqrt(area / max(extent.prod(), 1e-12)) + 1
    return np.concatenate([corners.mean(0) - (size - 1) / 2, size])
