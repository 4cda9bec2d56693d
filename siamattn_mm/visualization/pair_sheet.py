"""Pictures of training pairs."""
from typing import List, Sequence, Tuple

import cv2
import numpy as np
from mmengine.structures import InstanceData
from torch import Tensor

BOX_COLOR = (0, 255, 0)
MASK_COLOR = (0, 0, 255)
_TEXT_HEIGHT = 14


def draw_crop(img: Tensor,
              instances: InstanceData,
              with_mask: bool = True) -> np.ndarray:
    """Draw the box and the mask of a crop.

    Args:
        img (Tensor): (1, 3, S, S) uint8, BGR.
        instances (InstanceData): ``bboxes`` (1, 4) x1, y1, x2, y2 in crop
            pixels counted at pixel centres, and ``masks`` if known.
        with_mask (bool): Whether to tint the mask. Defaults to True.

    Returns:
        ndarray: (S, S, 3) uint8.
    """
    canvas = np.ascontiguousarray(img[0].numpy().transpose(1, 2, 0))
    if with_mask and 'masks' in instances:
        inside = instances.masks.masks[0].astype(bool)
        tint = np.array(MASK_COLOR, dtype=np.uint8)
        canvas[inside] = canvas[inside] // 2 + tint // 2
    # The outermost pixels of the box, not the ones around it.
    x1, y1, x2, y2 = instances.bboxes[0].tolist()
    cv2.rectangle(canvas, (round(x1 + 0.5), round(y1 + 0.5)),
                  (round(x2 - 0.5), round(y2 - 0.5)), BOX_COLOR, 1)
    return canvas


def draw_pair(sample: dict) -> np.ndarray:
    """Draw a packed pair: template, search crop, search crop with mask.

    Args:
        sample (dict): What :class:`~siamattn_mm.datasets.SOTPairDataset`
            returns.

    Returns:
        ndarray: (H, W, 3) uint8; a line above says the source, whether it is
        a positive or a negative pair, and whether there is a mask.
    """
    inputs, data_sample = sample['inputs'], sample['data_samples']
    search = data_sample.search_gt_instances
    template = draw_crop(inputs['img'], data_sample.gt_instances)
    plain = inputs['search_img'][0].numpy().transpose(1, 2, 0)
    marked = draw_crop(inputs['search_img'], search)
    height = max(template.shape[0], marked.shape[0])
    row = np.concatenate(
        [_pad(img, height) for img in (template, plain, marked)], axis=1)
    words = [str(data_sample.metainfo.get('source', ''))]
    words.append('positive' if int(search.labels[0]) else 'NEGATIVE')
    words.append('mask' if 'masks' in search else 'box only')
    header = np.zeros((_TEXT_HEIGHT, row.shape[1], 3), np.uint8)
    cv2.putText(header, ' '.join(words), (2, 10), cv2.FONT_HERSHEY_SIMPLEX,
                0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate([header, row], axis=0)


def contact_sheet(pictures: Sequence[np.ndarray],
                  columns: int = 3) -> np.ndarray:
    """Put pictures of one size side by side.

    Args:
        pictures (Sequence[ndarray]): Each (H, W, 3) uint8.
        columns (int): Pictures in a row. Defaults to 3.

    Returns:
        ndarray: (rows * H, columns * W, 3) uint8.
    """
    shape: Tuple[int, ...] = pictures[0].shape
    rows: List[np.ndarray] = []
    for start in range(0, len(pictures), columns):
        row = list(pictures[start:start + columns])
        row += [np.zeros(shape, np.uint8)] * (columns - len(row))
        rows.append(np.concatenate(row, axis=1))
    return np.concatenate(rows, axis=0)


def _pad(img: np.ndarray, height: int) -> np.ndarray:
    return cv2.copyMakeBorder(img, 0, height - img.shape[0], 2, 2,
                              cv2.BORDER_CONSTANT)
