"""Tests of ImageReader."""
import pickle

import cv2
import numpy as np
import pytest
from PIL import Image

from siamattn_mm.datasets.reading.image_reader import (
    ImageReader,
    UnreadableFrameError,
)


def test_gray_files_get_three_channels(tmp_path):
    path = str(tmp_path / 'gray.png')
    cv2.imwrite(path, np.full((4, 6), 77, np.uint8))
    img = ImageReader().image(path)
    assert img.shape == (4, 6, 3) and (img == 77).all()


def test_what_is_kept_cannot_be_changed(tmp_path):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, np.zeros((4, 6, 3), np.uint8))
    reader = ImageReader(cache_bytes=1000)
    assert reader.image(path) is reader.image(path)
    with pytest.raises(ValueError):
        reader.image(path)[0, 0] = 1


def test_image_and_mask_of_one_file_are_two(tmp_path):
    path = str(tmp_path / 'a.png')
    cv2.imwrite(path, np.full((4, 6), 5, np.uint8))
    reader = ImageReader(cache_bytes=1000)
    assert reader.image(path).ndim == 3 and reader.mask(path).ndim == 2


def test_a_palette_mask_holds_object_numbers(tmp_path):
    path = str(tmp_path / 'palette.png')
    mask = Image.fromarray(np.array([[0, 1], [2, 2]], np.uint8), mode='P')
    mask.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10])
    mask.save(path)
    assert ImageReader().mask(path).tolist() == [[0, 1], [2, 2]]


@pytest.mark.parametrize('content', [None, b'', b'no image'])
@pytest.mark.parametrize('kind', ['image', 'mask'])
def test_unreadable_files(tmp_path, content, kind):
    path = tmp_path / 'broken.png'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFrameError) as caught:
        getattr(ImageReader(), kind)(str(path))
    assert str(path) in str(caught.value)
    # Errors travel from workers to the main process.
    assert pickle.loads(pickle.dumps(caught.value)).path == str(path)


def test_a_jpeg_that_ends_too_early(tmp_path):
    path = tmp_path / 'a.jpg'
    noise = np.random.RandomState(0).randint(0, 255, (64, 64, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    whole = path.read_bytes()
    # What cameras put behind the end does no harm.
    path.write_bytes(whole + b'0' * 100)
    assert ImageReader().image(str(path)).shape == (64, 64, 3)
    path.write_bytes(whole[:len(whole) // 2])
    with pytest.raises(UnreadableFrameError, match='a.jpg: not an image'):
        ImageReader().image(str(path))


@pytest.mark.parametrize('value', [1, 255, 256, 512, 65535])
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_a_mask_of_16_bits_is_what_is_above_zero(tmp_path, value, channels):
    path = str(tmp_path / 'mask.png')
    mask = np.zeros((6, 8) + (channels, ) * (channels > 1), np.uint16)
    mask[2:4, 3:5] = value
    if channels == 4:
        mask[..., 3] = 65535
    cv2.imwrite(path, mask)
    expected = np.zeros((6, 8), bool)
    expected[2:4, 3:5] = True
    assert np.array_equal(ImageReader().mask(path) > 0, expected)


@pytest.mark.parametrize('mode', ['LA', 'RGBA', 'I', 'F', '1'])
def test_masks_of_other_modes(tmp_path, mode):
    path = str(tmp_path / ('mask.tif' if mode in 'IF' else 'mask.png'))
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 3:5] = 255
    image = Image.fromarray(mask).convert(mode)
    if mode == 'F':
        image = image.point(lambda value: value / 512)
    image.save(path)
    assert np.array_equal(ImageReader().mask(path) > 0, mask > 0)


def test_images_of_16_bits_keep_their_contrast(tmp_path):
    path = str(tmp_path / 'thermal.png')
    values = np.linspace(7000, 8275, 48 * 64).reshape(48, 64)
    cv2.imwrite(path, values.astype(np.uint16))
    image = ImageReader().image(path)
    assert image.shape == (48, 64, 3) and len(np.unique(image)) > 200
