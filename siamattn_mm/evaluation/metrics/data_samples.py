"""What the metrics read from data samples, and from the running Runner."""
import ast
import os.path as osp
import re
from typing import Any, Optional

import numpy as np
from mmengine.logging import MessageHub
from pycocotools import mask as coco_mask

from siamattn_mm.datasets.errors import DataError
from siamattn_mm.datasets.reading.image_reader import ImageReader


def runner_work_dir(metric: str) -> str:
    """The running Runner's work dir, from what it tells its components.

    Args:
        metric (str): Who asks, for the message.

    Returns:
        str: The folder.

    Raises:
        ValueError: If no Runner says one.
    """
    config = MessageHub.get_current_instance().runtime_info.get('cfg', '')
    found = re.search(r'^work_dir ?= ?(.+)$', config, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f'{metric} does not know where to write: give it '
                         'results_dir, or run it in a Runner built by '
                         'Runner.from_cfg with a work_dir')
    return ast.literal_eval(found.group(1))


def sequence_name(data_sample: dict) -> str:
    """Name from the data set, or from the path for mmtrack's data sets.

    Args:
        data_sample (dict): With ``sequence_name`` or ``img_path``.

    Returns:
        str: The name.
    """
    if 'sequence_name' in data_sample:
        return data_sample['sequence_name']
    folders = osp.dirname(data_sample['img_path']).split(osp.sep)
    # LaSOT, OTB and VOT have one more folder between name and image.
    return folders[-2] if folders[-1] in ('img', 'color') else folders[-1]


def out_of_order(data_sample: dict, metric: str) -> ValueError:
    """The error for a frame that does not follow the one before.

    Args:
        data_sample (dict): The frame.
        metric (str): Who needs the order.

    Returns:
        ValueError: To be raised.
    """
    return ValueError(
        f'{data_sample["img_path"]}: frame {data_sample["frame_id"]} of '
        f'sequence {data_sample["video_id"]} came out of order; {metric} '
        'needs the frames of a sequence one after another (sampler '
        'VideoSampler, batch_size=1)')


def read_true_mask(reader: ImageReader, path: str,
                   object_id: Optional[int]) -> np.ndarray:
    """Read which pixels are the target's.

    Args:
        reader (ImageReader): Reads it.
        path (str): The mask file.
        object_id (int, optional): The target's number in it; None: all above
            0 is the target.

    Returns:
        ndarray: (H, W) bool.

    Raises:
        UnreadableFrameError: If it cannot be read.
    """
    mask = reader.mask(path)
    return mask > 0 if object_id is None else mask == object_id


def true_mask(reader: ImageReader, data_sample: dict) -> Optional[np.ndarray]:
    """The true mask of a frame.

    Args:
        reader (ImageReader): Reads it.
        data_sample (dict): Names its file, ``mask_path`` (and ``object_id``),
            or holds its run lengths, ``instances[0]['mask']``, as of
            ``SyntheticSOTDataset``.

    Returns:
        ndarray | None: (H, W) bool; None where there is none.

    Raises:
        UnreadableFrameError: If it cannot be read.
    """
    path = data_sample.get('mask_path')
    if path is not None:
        return read_true_mask(reader, path, data_sample.get('object_id'))
    code = (data_sample.get('instances') or [{}])[0].get('mask')
    # Polygons are an outline, no pixels.
    if not isinstance(code, dict):
        return None
    return coco_mask.decode(code).astype(bool)


def predicted_mask(prediction: dict) -> Optional[np.ndarray]:
    """The mask of ``pred_track_instances``.

    Args:
        prediction (dict): With ``masks`` (1, H, W), or without.

    Returns:
        ndarray | None: (H, W) bool; None where the tracker gives none.
    """
    masks = prediction.get('masks')
    return None if masks is None else to_numpy(masks)[0].astype(bool)


def check_mask_shape(mask: np.ndarray, truth: np.ndarray,
                     data_sample: dict) -> None:
    """See that a predicted mask can be compared with a true one.

    Args:
        mask (ndarray): The predicted one.
        truth (ndarray): The true one.
        data_sample (dict): The frame's, for the message.

    Raises:
        DataError: If their shapes differ.
    """
    if truth.shape != mask.shape:
        path = data_sample.get('mask_path') or data_sample['img_path']
        raise DataError(
            f'{path}: mask of {truth.shape[1]}x{truth.shape[0]} pixels for a '
            f'frame of {mask.shape[1]}x{mask.shape[0]}')


def to_xywh(bbox: np.ndarray) -> np.ndarray:
    """Corners to corner and size.

    Args:
        bbox (ndarray): (4,) xyxy.

    Returns:
        ndarray: (4,) float64 xywh.
    """
    bbox = np.asarray(bbox, dtype=np.float64)
    return np.concatenate([bbox[:2], bbox[2:] - bbox[:2]])


def to_numpy(values: Any) -> np.ndarray:
    """A tensor, or what numpy takes, as an array.

    Args:
        values (Any): On any device.

    Returns:
        ndarray: The same numbers.
    """
    return values.detach().cpu().numpy() if hasattr(
        values, 'detach') else np.asarray(values)
