"""A data set of cut-outs from pictures with an alpha channel."""
import glob
import json
import os
import os.path as osp
from typing import List, Optional, Tuple

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from siamattn_mm.utils.files import whole_folder
from siamattn_mm.utils.images import write_image

from ..reading.image_reader import read_unchanged
from ..reading.progress import progress

OPAQUE = 128
# Of the box: less is a line drawing, more a picture with a frame.
MIN_FILLED, MAX_FILLED = 0.15, 0.97
# Standard deviation of the object's grey values: silhouettes have less.
MIN_CONTRAST = 12.


def cutouts_from_png(src: str, dst: str, max_side: int = 220,
                     min_side: int = 48) -> int:
    """Write a COCO-format data set whose masks are the pictures' alpha.

    Pictures that show no solid object are left out: line drawings, framed
    pictures, silhouettes. The objects of one folder are of one kind.

    Args:
        src (str): Folder of PNG files, with folders in it.
        dst (str): Folder to make: ``instances.json`` and ``images/``.
        max_side (int): Objects are shrunk to this longer side, in pixels.
            Defaults to 220.
        min_side (int): Objects with a smaller shorter side are left out.
            Defaults to 48.

    Returns:
        int: How many objects there are.

    Raises:
        FileExistsError: If ``dst`` is there.
        FileNotFoundError: If there are no PNG files.
        ValueError: If none of them shows a usable object.
    """
    paths = sorted(glob.glob(osp.join(glob.escape(src), '**', '*.png'),
                             recursive=True))
    if not paths:
        raise FileNotFoundError(f'no PNG files under {src}')
    if osp.exists(dst):
        raise FileExistsError(f'{dst} is there already; name a new folder')
    with whole_folder(dst) as made:
        count = _write(src, paths, made, max_side, min_side)
        if not count:
            raise ValueError(
                f'none of the {len(paths)} PNG files under {src} has an alpha '
                f'channel that leaves a solid object with both sides of '
                f'{min_side} pixels or more')
    return count


def _write(src: str, paths: List[str], dst: str, max_side: int,
           min_side: int) -> int:
    os.mkdir(osp.join(dst, 'images'))
    images, annotations = [], []
    for path in progress(paths, src):
        found = _read_object(path, max_side, min_side)
        if found is None:
            continue
        image, mask = found
        number = len(images) + 1
        name = f'{number:05d}.jpg'
        write_image(
            osp.join(dst, 'images', name), image,
            [cv2.IMWRITE_JPEG_QUALITY, 92])
        height, width = mask.shape
        images.append(
            dict(id=number, file_name=name, width=width, height=height,
                 source_file=osp.relpath(path, src)))
        code = coco_mask.encode(np.asfortranarray(mask))
        code['counts'] = code['counts'].decode()
        annotations.append(
            dict(
                id=number,
                image_id=number,
                category_id=1,
                source_class=osp.relpath(osp.dirname(path), src),
                bbox=[int(v) for v in cv2.boundingRect(mask)],
                area=int(mask.sum()),
                iscrowd=0,
                segmentation=code))
    with open(osp.join(dst, 'instances.json'), 'w', encoding='utf-8') as file:
        json.dump(
            dict(
                images=images,
                annotations=annotations,
                categories=[dict(id=1, name='object')]), file)
    return len(images)


def _read_object(path: str, max_side: int,
                 min_side: int) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """The picture over grey (H, W, 3), and its mask (H, W), both uint8."""
    picture = read_unchanged(path)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        return None
    if picture.dtype != np.uint8:
        picture = (picture // 257).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(
        (picture[..., 3] > OPAQUE).astype(np.uint8))
    if min(width, height) == 0:
        return None
    picture = picture[y:y + height, x:x + width]
    zoom = min(1, max_side / max(width, height))
    if min(width, height) * zoom < min_side:
        return None
    if zoom < 1:
        picture = cv2.resize(
            picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    mask = (picture[..., 3] > OPAQUE).astype(np.uint8)
    inside = cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2GRAY)[mask > 0]
    if (not MIN_FILLED <= mask.mean() <= MAX_FILLED
            or inside.std() < MIN_CONTRAST):
        return None
    picture, mask = (
        cv2.copyMakeBorder(
            array, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=value)
        for array, value in ((picture, (128, 128, 128, 0)), (mask, 0)))
    alpha = picture[..., 3:].astype(np.float32) / 255
    image = picture[..., :3] * alpha + 128 * (1 - alpha)
    return image.round().astype(np.uint8), mask
