"""Still images annotated in a COCO-format file."""
import json
import os.path as osp
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from mmtrack.registry import DATASETS

from ..storage.mask_store import CocoMasks
from ..storage.string_table import StringTable
from ..storage.track_table import TrackTable
from .track_source import TrackSource


@DATASETS.register_module()
class CocoSource(TrackSource):
    """Pairs from a COCO-format file: each object is a track of one frame.

    Template and search crop come from the same image; shift, scale and colour
    changes make them differ. Crowds are left out.

    Args:
        data_root (str): Folder of the data set.
        ann_file (str): Annotation file, relative to ``data_root``. Defaults
            to ``'instances.json'``.
        img_dir (str): Image folder, relative to ``data_root``. Defaults to
            ``'images'``.
        min_size (float): Objects with a side below this many pixels are left
            out. Defaults to 16.
        max_share (float): Objects whose box covers more than this share of
            the image are left out: what a search crop shows of such an image
            is mostly its outside. Defaults to 1.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If the annotation file or the image folder is not
            there.
        ValueError: If the file is not in COCO's format, or no object is left.
    """

    def __init__(self,
                 data_root: str,
                 ann_file: str = 'instances.json',
                 img_dir: str = 'images',
                 min_size: float = 16,
                 max_share: float = 1.,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        path = osp.join(data_root, ann_file)
        img_root = osp.join(data_root, img_dir)
        if not osp.isdir(img_root):
            raise FileNotFoundError(f'no image folder {img_root}')
        images, annotations = load_coco(path, min_size, max_share)
        super().__init__(
            table=TrackTable(
                images=StringTable(image['file_name'] for image in images),
                lengths=np.ones(len(annotations), dtype=np.int64),
                image_ids=np.array([a['image'] for a in annotations]),
                bboxes=np.array([a['bbox'] for a in annotations]),
                mask_ids=np.array([
                    i if a['segmentation'] else -1
                    for i, a in enumerate(annotations)
                ])),
            img_root=img_root,
            masks=CocoMasks([a['segmentation'] for a in annotations], path),
            image_sizes=np.array([(image['width'], image['height'])
                                  for image in images], dtype=np.int32),
            frame_range=0,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)
        names = sorted({a['category'] for a in annotations})
        numbers = {name: i for i, name in enumerate(names)}
        # (F,) which objects are of one kind.
        self.categories = np.array(
            [numbers[a['category']] for a in annotations], dtype=np.int32)


def load_coco(
        path: str,
        min_size: float,
        max_share: float = 1.) -> Tuple[List[dict], List[Dict[str, Any]]]:
    """Read the usable objects of a COCO-format file.

    Args:
        path (str): The file.
        min_size (float): Objects with a side below this are left out.
        max_share (float): Objects whose box covers more than this share of
            the image are left out. Defaults to 1.

    Returns:
        tuple[list[dict], list[dict]]: ``images`` as in the file, and the
        objects: ``image`` index into ``images``, ``bbox`` x, y, w, h,
        ``segmentation`` polygons of three or more points, or a run-length
        code, or ``[]``, ``category`` name of its kind.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not in COCO's format, or no object is left.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'no annotation file {path}')
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
        images = content['images']
        index = {image['id']: i for i, image in enumerate(images)}
        for image in images:
            image['file_name'], image['width'], image['height']
        objects = [
            dict(image=index[a['image_id']], bbox=a['bbox'],
                 # Files with one category for all may keep the name that
                 # their source had.
                 category=str(a.get('source_class', a.get('category_id'))),
                 segmentation=_usable_segmentation(
                     a.get('segmentation'), images[index[a['image_id']]]))
            for a in content['annotations']
            if not a.get('iscrowd') and min(a['bbox'][2:4]) >= min_size
            and _share(a['bbox'], images[index[a['image_id']]]) <= max_share
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is not a COCO-format file: {type(error).__name__} '
            f'{error}; expected "images" with id, file_name, width, height '
            'and "annotations" with image_id, bbox') from error
    if not objects:
        raise ValueError(
            f'{path} has no object with both sides of {min_size} pixels or '
            f'more on at most {max_share} of its image')
    return images, objects


def _share(bbox: List[float], image: dict) -> float:
    # A box of the whole image may be a hair larger than the image.
    return min(bbox[2] * bbox[3] / (image['width'] * image['height']), 1)


def _usable_segmentation(segmentation: Any, image: dict) -> Any:
    if isinstance(segmentation, dict):
        size = [image['height'], image['width']]
        if list(segmentation['size']) != size:
            raise ValueError(
                f'a mask of size {segmentation["size"]} in image '
                f'{image["file_name"]} of size {size}')
        return segmentation
    # Less than three points enclose nothing (and pycocotools would take four
    # numbers for a box).
    return [polygon for polygon in segmentation or [] if len(polygon) >= 6]
