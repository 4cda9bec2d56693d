"""Tests of the maps from images to crops."""
import cv2
import numpy as np
import pytest

from siamattn_mm.datasets.transforms.crop_geometry import (
    context_size,
    crop_matrix,
    warp_bbox,
    warp_image,
    warp_mask,
)


def mapped(matrix, x, y):
    """A point of the image, in the crop."""
    return matrix @ np.array([x, y, 1.])


def test_context_size():
    # A square target has as much context on either side as it is large.
    assert context_size(10, 10) == pytest.approx(20)
    assert context_size(30, 10) == pytest.approx(np.sqrt(50 * 30))


@pytest.mark.parametrize('size', [127, 255])
def test_target_lands_in_the_middle_at_the_template_scale(size):
    matrix = crop_matrix((40, 20, 11, 11), size)
    # Pixels 40..50 and 20..30: the middle ones are 45 and 25.
    assert mapped(matrix, 45, 25) == pytest.approx([size // 2, size // 2])
    box = warp_bbox((40, 20, 11, 11), matrix, size)
    assert box[2] - box[0] == pytest.approx(127 / 2)
    assert (box[0] + box[2]) / 2 == pytest.approx(size // 2)


@pytest.mark.parametrize('zoom', [1, 3, 5])
def test_equals_the_search_crop_of_a_tracker(zoom):
    # A window of 255 / zoom pixels around the target's middle pixel, cut out
    # and resized: targets whose window has a whole odd number of pixels.
    rng = np.random.default_rng(0)
    img = cv2.GaussianBlur(
        rng.integers(0, 256, (400, 500, 3), dtype=np.uint8), (0, 0), 2)
    half = 255 // zoom // 2
    expected = cv2.resize(
        img[200 - half:201 + half, 250 - half:251 + half], (255, 255))
    side = 63.5 / zoom
    box = (250.5 - side / 2, 200.5 - side / 2, side, side)
    crop = warp_image(img, crop_matrix(box, 255), 255)
    inner = np.s_[zoom:-zoom, zoom:-zoom]  # resize repeats its outer pixels
    difference = np.abs(crop.astype(int) - expected.astype(int))[inner]
    assert difference.max() <= 4


def test_shift_scale_and_flip():
    box = (40, 20, 11, 11)
    shifted = warp_bbox(box, crop_matrix(box, 255, shift=(30, -20)), 255)
    assert (shifted[:2] + shifted[2:]) / 2 == pytest.approx([157, 107])
    scaled = warp_bbox(box, crop_matrix(box, 255, scale=(2, 0.5)), 255)
    assert scaled[2:] - scaled[:2] == pytest.approx([127 / 4, 127])
    matrix = crop_matrix(box, 255, shift=(30, 0), flip=True)
    # What lies left of the target lies right of it, shifted as asked for.
    assert mapped(matrix, 45, 25) == pytest.approx([157, 127])
    assert mapped(matrix, 40, 25)[0] > 157


def test_angle_turns_x_towards_y():
    matrix = crop_matrix((40, 20, 11, 11), 255, angle=90)
    point = mapped(matrix, 55, 25)  # right of the target
    assert point[0] == pytest.approx(127) and point[1] > 127


def test_turned_box_holds_the_turned_target():
    box = (40, 20, 20, 10)
    mask = np.zeros((60, 100), np.uint8)
    mask[20:30, 40:60] = 1
    for angle in (0, 15, 45, 90, -30):
        matrix = crop_matrix(box, 255, angle=angle)
        x1, y1, x2, y2 = warp_bbox(box, matrix, 255)
        rows, columns = np.nonzero(warp_mask(mask, matrix, 255))
        assert columns.min() - 0.5 == pytest.approx(x1, abs=2.5)
        assert columns.max() + 0.5 == pytest.approx(x2, abs=2.5)
        assert rows.min() - 0.5 == pytest.approx(y1, abs=2.5)
        assert rows.max() + 0.5 == pytest.approx(y2, abs=2.5)


def test_box_is_clipped_to_the_crop():
    box = (40, 20, 11, 11)
    clipped = warp_bbox(box, crop_matrix(box, 127, shift=(60, -60)), 127)
    assert clipped[2] == 126.5 and clipped[1] == -0.5
    assert clipped.dtype == np.float32


def test_outside_the_image_is_its_mean_colour_and_no_mask():
    img = np.zeros((40, 40, 3), np.uint8)
    img[:, :20] = (40, 80, 120)
    matrix = crop_matrix((10, 10, 20, 20), 255)
    crop = warp_image(img, matrix, 255)
    assert crop[0, 0].tolist() == [20, 40, 60]
    mask = warp_mask(np.ones((40, 40), np.uint8), matrix, 255)
    assert mask[0, 0] == 0 and mask[127, 127] == 1
    assert mask.dtype == np.uint8 and mask.max() == 1


def test_mask_outline_is_straight_where_the_crop_enlarges():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:14, 10:14] = 1
    warped = warp_mask(mask, crop_matrix((10, 10, 4, 4), 127), 127)
    area, hull = warped.sum(), cv2.convexHull(cv2.findNonZero(warped))
    assert area == pytest.approx(63.5**2, rel=0.03)
    assert area > 0.95 * cv2.contourArea(hull)
