"""Tests of where masks come from."""
import cv2
import numpy as np
import pytest

from siamattn_mm.datasets.reading.image_reader import (
    ImageReader,
    UnreadableFrameError,
)
from siamattn_mm.datasets.storage.mask_store import CocoMasks, MaskFiles
from siamattn_mm.datasets.storage.string_table import StringTable

HEIGHT, WIDTH = 90, 120


def rectangle(x, y, w, h):
    """A mask with ones in a rectangle."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[y:y + h, x:x + w] = 1
    return mask


def encode(mask):
    """Run lengths, column by column, as COCO writes them."""
    flat = mask.ravel(order='F')
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    return dict(size=list(mask.shape),
                counts=np.diff(np.concatenate([[0], changes])).tolist())


def test_polygons_and_run_lengths_are_one_mask():
    expected = rectangle(10, 20, 30, 20)
    outline = [10, 20, 40, 20, 40, 40, 10, 40]
    masks = CocoMasks([[outline], encode(expected), [], [outline]])
    for index in (0, 1, 3):
        mask = masks.read(index, None, HEIGHT, WIDTH)
        assert mask.dtype == np.uint8
        assert np.array_equal(mask, expected)


def test_polygons_of_one_object_are_joined():
    left, right = [0, 0, 10, 0, 10, 10, 0, 10], [5, 0, 30, 0, 30, 10, 5, 10]
    mask = CocoMasks([[left, right]]).read(0, None, HEIGHT, WIDTH)
    assert np.array_equal(mask, rectangle(0, 0, 30, 10))


def test_broken_run_lengths():
    code = dict(size=[HEIGHT, WIDTH], counts='o' * 40)
    with pytest.raises(UnreadableFrameError, match='a.json.*segmentation 0'):
        CocoMasks([code], 'a.json').read(0, None, HEIGHT, WIDTH)
    code = dict(size=[HEIGHT, WIDTH], counts=[10, 5])
    with pytest.raises(ValueError, match='a.json.* add up to 15 .*120x90'):
        CocoMasks([code], 'a.json')


def test_files(tmp_path):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, rectangle(5, 6, 7, 8) * 255)
    masks = MaskFiles(StringTable([path]))
    mask = masks.read(0, ImageReader(), HEIGHT, WIDTH)
    assert np.array_equal(mask, rectangle(5, 6, 7, 8))


def test_several_objects_in_a_file(tmp_path):
    path = str(tmp_path / 'a.png')
    first, second = rectangle(5, 6, 7, 8), rectangle(50, 6, 7, 8)
    cv2.imwrite(path, first * 1 + second * 3)
    masks = MaskFiles(StringTable([path]), object_ids=np.array([3, 1]),
                      path_ids=np.array([0, 0]))
    reader = ImageReader()
    assert np.array_equal(masks.read(0, reader, HEIGHT, WIDTH), second)
    assert np.array_equal(masks.read(1, reader, HEIGHT, WIDTH), first)


@pytest.mark.parametrize('value', [256, 65280])
def test_files_of_16_bits(tmp_path, value):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, rectangle(5, 6, 7, 8).astype(np.uint16) * value)
    mask = MaskFiles(StringTable([path])).read(0, ImageReader(), HEIGHT, WIDTH)
    assert np.array_equal(mask, rectangle(5, 6, 7, 8))


def test_a_file_of_another_size(tmp_path):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, rectangle(5, 6, 7, 8))
    with pytest.raises(UnreadableFrameError, match='120x90 .* 10x20'):
        MaskFiles(StringTable([path])).read(0, ImageReader(), 20, 10)
