"""Tests of CocoSource."""
import json

import cv2
import numpy as np
import pytest

from siamattn_mm.datasets import CocoSource
from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError


def change_file(root, change):
    """Rewrite the annotation file."""
    path = root / 'instances.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_polygons_run_lengths_and_boxes(coco_root):
    source = CocoSource(str(coco_root))
    assert len(source) == source.pairs_per_epoch == 4
    for row, has_mask in enumerate([True, True, False, True]):
        frame = source.read(row)
        x, y, w, h = frame.bbox.astype(int)
        inside = np.zeros(frame.img.shape[:2], bool)
        inside[y:y + h, x:x + w] = True
        assert (frame.img[inside] != 90).any(axis=1).all()
        if has_mask:
            assert np.array_equal(frame.mask, inside)
        else:
            assert frame.mask is None


def test_positive_pairs_are_one_object(coco_root):
    source = CocoSource(str(coco_root))
    for i in range(20):
        template, search = source.draw_positive(np.random.default_rng(i))
        assert template.img_path == search.img_path
        assert np.array_equal(template.bbox, search.bbox)


def test_negative_pairs_prefer_the_same_image(coco_root):
    source = CocoSource(str(coco_root))
    same = 0
    for i in range(60):
        template, search = source.draw_negative(np.random.default_rng(i))
        assert (template.img_path, template.bbox.tolist()) != \
            (search.img_path, search.bbox.tolist())
        same += template.img_path == search.img_path
    # The two objects of the first of three images: half of all draws.
    assert 20 < same < 40


def test_no_negative_of_objects_that_lie_in_each_other(coco_root):
    def change(content):
        content['annotations'][1]['bbox'] = [14, 24, 24, 20]

    change_file(coco_root, change)
    source = CocoSource(str(coco_root))
    for i in range(30):
        template, search = source.draw_negative(np.random.default_rng(i))
        assert template.img_path != search.img_path


def test_crowds_and_tiny_objects_are_left_out(coco_root):
    def change(content):
        content['annotations'][0]['iscrowd'] = 1
        content['annotations'][1]['bbox'][3] = 15.9

    change_file(coco_root, change)
    assert len(CocoSource(str(coco_root))) == 2
    assert len(CocoSource(str(coco_root), min_size=15)) == 3


def test_objects_that_fill_the_image_are_left_out(coco_root):
    # Of 120x90 pixels, 30x20 are 5.6 % and 24x20 are 4.4 %.
    assert len(CocoSource(str(coco_root), max_share=0.05)) == 2
    assert len(CocoSource(str(coco_root), max_share=0.06)) == 4


def test_lines_are_no_polygons(coco_root):
    def change(content):
        content['annotations'][0]['segmentation'] = [[1, 1, 9, 9]]

    change_file(coco_root, change)
    assert CocoSource(str(coco_root)).read(0).mask is None


def test_an_image_of_another_size_is_unreadable(coco_root):
    source = CocoSource(str(coco_root))
    cv2.imwrite(str(coco_root / 'images' / '1.png'),
                np.zeros((45, 60, 3), np.uint8))
    with pytest.raises(UnreadableFrameError, match='1.png.*60x45.*120x90'):
        source.read(2)


def test_missing_files(tmp_path, coco_root):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        CocoSource(str(tmp_path / 'nowhere'))
    with pytest.raises(FileNotFoundError, match='other.json'):
        CocoSource(str(coco_root), ann_file='other.json')


@pytest.mark.parametrize('change', [
    lambda content: content.pop('images'),
    lambda content: content['annotations'][0].pop('bbox'),
    lambda content: content['annotations'][0].update(image_id=99),
    lambda content: content['annotations'][1]['segmentation'].update(
        size=[1, 1]),
])
def test_not_a_coco_file(coco_root, change):
    change_file(coco_root, change)
    with pytest.raises(ValueError, match='instances.json is not a COCO'):
        CocoSource(str(coco_root))


def test_broken_json(coco_root):
    (coco_root / 'instances.json').write_text('{')
    with pytest.raises(ValueError, match='instances.json is not a COCO'):
        CocoSource(str(coco_root))


def test_nothing_left(coco_root):
    with pytest.raises(ValueError, match='1000'):
        CocoSource(str(coco_root), min_size=1000)
