"""Small data sets, drawn by the tests: coloured rectangles with masks."""
import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

SIZE = (120, 90)  # width, height


def draw_rectangle(box, color=(0, 0, 255), background=(90, 90, 90), size=SIZE):
    """An image with a filled rectangle, and its mask."""
    x, y, w, h = box
    img = np.full((size[1], size[0], 3), background, np.uint8)
    mask = np.zeros((size[1], size[0]), np.uint8)
    img[y:y + h, x:x + w] = color
    mask[y:y + h, x:x + w] = 1
    return img, mask


def polygon(box):
    """A box's outline as COCO writes it."""
    x, y, w, h = box
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def write_sequence(folder, boxes, masks=True, color=(0, 0, 255)):
    """One sequence folder; None in boxes is a frame without the target."""
    (folder / 'img').mkdir(parents=True)
    if masks:
        (folder / 'masks').mkdir()
    lines = []
    for i, box in enumerate(boxes, start=1):
        img, mask = draw_rectangle(box or (0, 0, 1, 1), color)
        if box is None:
            img[:], mask[:] = 90, 0
        cv2.imwrite(str(folder / 'img' / f'{i:08d}.png'), img)
        if masks:
            cv2.imwrite(str(folder / 'masks' / f'{i:08d}.png'), mask * 255)
        lines.append('nan,nan,nan,nan' if box is None else ','.join(
            map(str, box)))
    (folder / 'groundtruth.txt').write_text('\n'.join(lines) + '\n')


def write_coco(folder, images, **changes):
    """A COCO-format data set; images is a list of lists of annotations."""
    (folder / 'images').mkdir(parents=True)
    content = dict(images=[], annotations=[])
    for i, annotations in enumerate(images):
        img = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        for j, annotation in enumerate(annotations):
            x, y, w, h = (int(v) for v in annotation['bbox'])
            img[y:y + h, x:x + w] = (0, 0, 255) if j == 0 else (0, 255, 0)
            content['annotations'].append(dict(
                dict(id=len(content['annotations']) + 1, image_id=i + 1,
                     category_id=1, iscrowd=0), **annotation))
        cv2.imwrite(str(folder / 'images' / f'{i}.png'), img)
        content['images'].append(
            dict(id=i + 1, file_name=f'{i}.png', width=SIZE[0],
                 height=SIZE[1]))
    content.update(changes)
    (folder / 'instances.json').write_text(json.dumps(content))


def run_lengths(box, compressed):
    """A box as one of COCO's two run-length codes."""
    _, mask = draw_rectangle(box)
    if compressed:
        code = coco_mask.encode(np.asfortranarray(mask))
        return dict(size=code['size'], counts=code['counts'].decode())
    flat = mask.ravel(order='F')
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    return dict(size=list(mask.shape),
                counts=np.diff(np.concatenate([[0], changes])).tolist())


@pytest.fixture
def sequence_root(tmp_path):
    """Two sequences with masks, one without; the second has absent frames."""
    root = tmp_path / 'video'
    write_sequence(root / 'a', [(20 + i, 30, 24, 16) for i in range(12)])
    write_sequence(root / 'b', [None, (50, 40, 20, 20), None,
                                (52, 42, 20, 20)], color=(255, 0, 0))
    write_sequence(root / 'c', [(10, 10 + i, 18, 30) for i in range(5)],
                   masks=False, color=(0, 255, 255))
    return root


@pytest.fixture
def coco_root(tmp_path):
    """Objects with a polygon, a run-length code, and a box only."""
    root = tmp_path / 'coco'
    near, far = (10, 20, 30, 20), (80, 60, 24, 20)
    write_coco(root, [
        [dict(bbox=near, segmentation=[polygon(near)]),
         dict(bbox=far, segmentation=run_lengths(far, True))],
        [dict(bbox=near, segmentation=[])],
        [dict(bbox=far, segmentation=run_lengths(far, False))],
    ])
    return root


@pytest.fixture
def synthetic_root(tmp_path):
    """Two data sets to cut objects out of, and two photographs."""
    root = tmp_path / 'synthetic'
    for name in ('one', 'two'):
        write_coco(root / name, [
            [dict(bbox=box, segmentation=[polygon(box)])]
            for box in ((10, 10, 60, 40), (30, 5, 40, 70))
        ])
    (root / 'photos').mkdir()
    for i, color in enumerate(((200, 120, 40), (30, 160, 90))):
        cv2.imwrite(str(root / 'photos' / f'{i}.jpg'),
                    np.full((80, 100, 3), color, np.uint8))
    return root
