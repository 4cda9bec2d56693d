"""COCO 2017: train2017/*.jpg and annotations/instances_train2017.json."""
import json
import os
import os.path as osp

import numpy as np
from pycocotools import mask as coco_mask

from .drawing import SIZE, draw, write_image

LEFT, RIGHT = (10, 20, 40, 30), (100, 60, 36, 40)


def polygons(box):
    """The box as two polygons that share an edge."""
    x, y, w, h = box
    m = x + w / 2
    return [[x, y, m, y, m, y + h, x, y + h],
            [m, y, x + w, y, x + w, y + h, m, y + h]]


def run_lengths(box, compressed, size=SIZE):
    """The box as one of COCO's two run-length codes."""
    mask = draw([box], size)[1]
    if compressed:
        code = coco_mask.encode(np.asfortranarray(mask))
        return dict(size=code['size'], counts=code['counts'].decode())
    flat = mask.ravel(order='F')
    starts = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    return dict(size=list(mask.shape),
                counts=np.diff(np.concatenate([[0], starts])).tolist())


def make_coco(root, ann_file='annotations/instances_train2017.json',
              img_dir='train2017'):
    """Write four images: polygons, both run-length codes, and a crowd."""
    # One list an image: box, segmentation, iscrowd.
    objects = [
        [(LEFT, polygons(LEFT), 0), (RIGHT, polygons(RIGHT), 0)],
        [(LEFT, run_lengths(LEFT, True), 0)],
        [(RIGHT, run_lengths(RIGHT, False), 0)],
        [(LEFT, polygons(LEFT), 0), (RIGHT, run_lengths(RIGHT, False), 1)],
    ]
    content = dict(images=[], annotations=[],
                   categories=[dict(id=18, name='dog'),
                               dict(id=44, name='bottle')])
    for i, entries in enumerate(objects, start=1):
        name = f'{i:012d}.jpg'
        write_image(osp.join(root, img_dir, name),
                    draw([box for box, _, _ in entries])[0])
        content['images'].append(
            dict(id=i, file_name=name, width=SIZE[0], height=SIZE[1]))
        for box, segmentation, crowd in entries:
            content['annotations'].append(
                dict(id=len(content['annotations']) + 1, image_id=i,
                     category_id=(18, 44)[i % 2], iscrowd=crowd,
                     bbox=[float(v) for v in box], area=box[2] * box[3],
                     segmentation=segmentation))
    path = osp.join(root, ann_file)
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(content, file)
    return str(root)


def make_coco_json(root):
    """The same, named as our own COCO-format sets are."""
    return make_coco(root, ann_file='instances.json', img_dir='images')
