"""Pasted masks against warping the whole image; rotated boxes."""
import cv2
import numpy as np
import pytest

from siamattn_mm.structures.mask_paste import (
    PastedMask,
    SoftMask,
    largest_part,
    paste_mask,
    rotated_box,
)

THRESHOLD = 0.3


def smooth_mask(rng, shape=(64, 64)):
    """Probabilities with structure at several sizes."""
    coarse = rng.random((9, 9), dtype=np.float32)
    mask = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    mask += .1 * rng.standard_normal(shape, dtype=np.float32)
    return np.clip(mask, 0, 1)


def warped(prob, box, image_size):
    """Spec part 7, step 6: one affine warp onto the whole image."""
    width, height = image_size
    x0, y0, w, h = box
    rows, columns = prob.shape
    a = (width - 1) / (width * columns / w)
    b = (height - 1) / (height * rows / h)
    matrix = np.array([[a, 0, a * x0 * columns / w],
                       [0, b, b * y0 * rows / h]])
    return cv2.warpAffine(
        prob,
        matrix,
        image_size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0)


def check(prob, box, image_size):
    pasted = paste_mask(prob, box, image_size, THRESHOLD)
    expected = warped(prob, box, image_size) > THRESHOLD
    found = pasted.full()
    assert found.dtype == bool and found.shape == image_size[::-1]
    np.testing.assert_array_equal(found, expected)
    soft = SoftMask(prob, np.asarray(box), image_size)
    np.testing.assert_array_equal(soft.paste(THRESHOLD).full(), expected)
    return expected.sum()


@pytest.mark.parametrize('image_size', [(160, 120), (97, 211)])
def test_equals_warping_the_whole_image(image_size):
    """Inside, across every border, wholly outside; small and large."""
    rng = np.random.default_rng(1)
    areas = []
    for _ in range(250):
        size = np.exp(rng.uniform(np.log(2), np.log(400), 2))
        corner = rng.uniform(-.4, 1.2, 2) * image_size - size / 2
        areas.append(
            check(smooth_mask(rng), np.concatenate([corner, size]),
                  image_size))
    assert min(areas) == 0 and max(areas) > 5000


def test_equals_warping_a_large_image():
    rng = np.random.default_rng(2)
    for box in ([700.3, 401.7, 333.3, 98.2], [1700., -50., 400., 900.],
                [0., 0., 1919., 1079.]):
        assert check(smooth_mask(rng), np.array(box), (1920, 1080))


def test_equals_warping_masks_that_are_not_square():
    rng = np.random.default_rng(3)
    assert check(
        smooth_mask(rng, (24, 40)), np.array([20., 30., 90., 50.]),
        (160, 120))


def test_only_the_boxs_window_is_stored():
    pasted = paste_mask(
        np.ones((64, 64), np.float32), [500, 300, 60, 40], (1920, 1080), .5)
    assert pasted.window.size < 66 * 46 * 1.2
    assert pasted.window.dtype == np.uint8
    assert set(np.unique(pasted.window)) <= {0, 1}
    # 500 px become 500 * 1919 / 1920.
    assert abs(pasted.corner[0] - 500) <= 2
    assert abs(pasted.corner[1] - 300) <= 2


def test_a_full_mask_covers_its_box():
    full = paste_mask(
        np.ones((64, 64), np.float32), [40, 30, 64, 32], (160, 120), .5).full()
    rows, columns = np.nonzero(full)
    assert abs(columns.min() - 40) <= 1 and abs(columns.max() - 103) <= 1
    assert abs(rows.min() - 30) <= 1 and abs(rows.max() - 61) <= 1


@pytest.mark.parametrize('box', [(-300, 10, 50, 50), (500, 10, 50, 50),
                                 (10, -300, 50, 50), (10, 900, 50, 50)])
def test_box_outside_the_image_gives_an_empty_mask(box):
    pasted = paste_mask(
        np.ones((64, 64), np.float32), box, (160, 120), THRESHOLD)
    assert not pasted.full().any()
    polygon = rotated_box(largest_part(pasted, 100), box)
    assert polygon.shape == (4, 2)


# -- rotated box ---------------------------------------------------------


def draw(*rectangles, shape=(120, 160), corner=(0, 0)):
    """Mask of rotated rectangles ((cx, cy), (w, h), angle)."""
    window = np.zeros(shape, np.uint8)
    for rectangle in rectangles:
        points = cv2.boxPoints(rectangle).round().astype(np.int32)
        cv2.fillPoly(window, [points], 1)
    size = (shape[1] + corner[0], shape[0] + corner[1])
    return PastedMask(window, corner, size)


def assert_same_corners(found, expected, tolerance):
    distance = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert distance.min(0).max() <= tolerance
    assert distance.min(1).max() <= tolerance


BOX = (1., 2., 30., 40.)


def around(mask):
    """The rotated box of a mask, or BOX."""
    return rotated_box(largest_part(mask, 100), BOX)


@pytest.mark.parametrize('angle', [0, 20, 45, 70])
def test_rotated_rectangle_is_found(angle):
    rectangle = ((80., 60.), (70., 30.), angle)
    found = around(draw(rectangle))
    assert found.shape == (4, 2) and found.dtype == np.float64
    assert_same_corners(found, cv2.boxPoints(rectangle), 2.5)


def test_corners_go_around_the_rectangle():
    found = around(draw(((80., 60.), (70., 30.), 20)))
    sides = np.linalg.norm(found - np.roll(found, -1, 0), axis=1)
    assert sides[0] == pytest.approx(sides[2], abs=1e-3)
    assert sides[1] == pytest.approx(sides[3], abs=1e-3)
    assert sorted(sides)[-1] < 80  # no diagonal


def test_largest_part_counts():
    large, small = ((50., 60.), (60., 40.), 10), ((130., 30.), (20., 20.), 0)
    found = around(draw(large, small))
    assert_same_corners(found, cv2.boxPoints(large), 2.5)


def test_holes_do_not_matter():
    mask = draw(((80., 60.), (70., 30.), 20))
    mask.window[55:65, 75:85] = 0
    assert_same_corners(
        around(mask),
        around(draw(((80., 60.), (70., 30.), 20))), 1e-6)


def test_window_is_placed_in_the_image():
    here = around(draw(((80., 60.), (70., 30.), 20)))
    there = around(draw(((80., 60.), (70., 30.), 20), corner=(300, 50)))
    assert_same_corners(there, here + [300, 50], 1e-3)


@pytest.mark.parametrize('side, found_in_mask', [(11, False), (12, True)])
def test_small_parts_fall_back_to_the_box(side, found_in_mask):
    """A contour of n x n pixels has area (n - 1)^2; 100 is too small."""
    mask = draw()
    mask.window[20:20 + side, 30:30 + side] = 1
    found = around(mask)
    expected = np.array([[1, 2], [31, 2], [31, 42], [1, 42]])
    assert (np.abs(found - expected).max() < 1e-9) == (not found_in_mask)


def test_empty_mask_falls_back_to_the_box():
    for mask in (draw(), PastedMask(np.zeros((0, 0), np.uint8), (0, 0),
                                    (160, 120))):
        assert largest_part(mask, 0) is None
        found = around(mask)
        assert found.tolist() == [[1, 2], [31, 2], [31, 42], [1, 42]]


def test_an_outline_counts_in_the_image():
    mask = draw(corner=(300, 50))
    mask.window[20:40, 30:70] = 1
    assert cv2.boundingRect(largest_part(mask, 100)) == (330, 70, 40, 20)


# -- exactly -------------------------------------------------------------


@pytest.mark.parametrize('box', [(40., 30., 64., 32.), (52., 41., 100., 60.),
                                 (30., 20., 12., 18.), (-20., 70., 90., 80.)])
def test_an_exact_mask_of_ones_fills_its_box(box):
    """Here whole pixels: each belongs to it, or does not."""
    image_size = (160, 120)
    x, y, w, h = map(int, box)
    expected = np.zeros(image_size[::-1], bool)
    expected[max(y, 0):y + h, max(x, 0):x + w] = True
    soft = SoftMask(
        np.ones((64, 64), np.float32), np.array(box), image_size, True)
    # Half of the way to the cells behind the edge, which are 0.
    found = soft.paste(.5 - 1e-3).full()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('side', [24., 60., 250.])
def test_an_exact_mask_is_where_its_cells_are(side):
    """A blob's middle, which the released tracker's map moves."""
    image_size = (640, 480)
    corner = np.array([310.3, 150.8])
    cells = (np.arange(64) + .5) / 64 - .5
    prob = np.exp(-(cells[:, None]**2 + cells**2) / .02).astype(np.float32)
    errors = []
    for exact in (True, False):
        pasted = paste_mask(prob, [*corner, side, side], image_size, .1,
                            exact)
        rows, columns = np.nonzero(pasted.full())
        # A pixel's middle is half a pixel from its edge.
        middle = np.array([columns.mean(), rows.mean()]) + .5
        errors.append(np.abs(middle - corner - side / 2).max())
    assert errors[0] < .2
    if side > 200:
        assert errors[1] > 1
