"""Windows cut out of an image, against padding the whole image."""
import math

import cv2
import numpy as np
import pytest

from siamattn_mm.structures.search_window import (
    SearchWindow,
    context_side,
    crop_image,
    window_corner,
)

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (60, 90, 3), dtype=np.uint8)
PAD = (100.7, 23.2, 250.99)


def naive(image, centre, side, out_size, pad_value):
    """Spec part 7, step 1, on an image padded by more than any window."""
    border = 600
    padded = cv2.copyMakeBorder(
        image,
        border,
        border,
        border,
        border,
        cv2.BORDER_CONSTANT,
        value=[int(v) for v in pad_value])
    xmin, ymin = (math.floor(c - (side + 1) / 2 + 0.5) for c in centre)
    xmax, ymax = xmin + side - 1, ymin + side - 1
    window = padded[border + ymin:border + ymax + 1,
                    border + xmin:border + xmax + 1]
    assert window.shape == (side, side, 3)
    return cv2.resize(window, (out_size, out_size))


def test_equals_the_naive_crop_on_random_windows():
    for _ in range(300):
        centre = RNG.uniform(-60, 150, 2)
        side = int(RNG.integers(1, 150))
        args = (IMAGE, centre, side, int(RNG.choice([31, 64])), PAD)
        np.testing.assert_array_equal(crop_image(*args), naive(*args))


@pytest.mark.parametrize('x', [-400, -15, 45, 105, 400])
@pytest.mark.parametrize('y', [-400, -15, 30, 75, 400])
@pytest.mark.parametrize('side', [20, 31])
def test_windows_on_every_side_and_far_outside(x, y, side):
    args = (IMAGE, (x + .25, y - .25), side, 31, PAD)
    found = crop_image(*args)
    np.testing.assert_array_equal(found, naive(*args))
    if abs(x - 45) > 200 or abs(y - 30) > 200:
        assert (found == [100, 23, 250]).all()


@pytest.mark.parametrize('centre', [(40.5, 30.5), (40., 30.)])
@pytest.mark.parametrize('side', [10, 11])
def test_window_without_resize_is_a_slice(centre, side):
    x, y = window_corner(*centre, side)
    found = crop_image(IMAGE, centre, side, side, PAD)
    np.testing.assert_array_equal(found, IMAGE[y:y + side, x:x + side])
    assert found.flags['C_CONTIGUOUS']


@pytest.mark.parametrize('centre, side, corner', [
    ((10., 20.), 5, (7, 17)),
    ((10.49, 20.5), 5, (7, 18)),
    ((10., 20.), 4, (8, 18)),
    ((1., 0.), 5, (-2, -3)),
])
def test_corner_is_the_specs(centre, side, corner):
    """floor(c - (side + 1) / 2 + 0.5), by hand."""
    assert window_corner(*centre, side) == corner


def test_crop_of_a_strided_view():
    """The test loop hands over (C, H, W) frames as (H, W, C) views."""
    view = np.ascontiguousarray(IMAGE.transpose(2, 0, 1)).transpose(1, 2, 0)
    args = ((3., 4.), 40, 25, PAD)
    np.testing.assert_array_equal(
        crop_image(view, *args), crop_image(IMAGE, *args))


def test_the_image_is_not_changed():
    image = IMAGE.copy()
    crop_image(image, (0, 0), 50, 50, PAD)[:] = 0
    np.testing.assert_array_equal(image, IMAGE)


def test_context_side():
    # Half of the mean side is added on each side: 50 + 50 around 50.
    assert context_side(50, 50) == pytest.approx(100)
    assert context_side(40, 90) == pytest.approx(math.sqrt(105 * 155))
    assert context_side(40, 90, 0.) == pytest.approx(60)


# -- where a crop lies ---------------------------------------------------


def make_window():
    # Its side, 99.07 * 255 / 127, is rounded up.
    return SearchWindow.around(np.array([60., 45., 50., 48.]), 255, 127, .5)


def test_a_window_lies_around_the_target():
    window = make_window()
    side = math.sqrt((50 + 49) * (48 + 49))
    assert window.side == round(side * 255 / 127)
    assert window.scale == pytest.approx(127 / side)
    np.testing.assert_array_equal(window.centre, [60, 45])


@pytest.mark.parametrize('rounded', [True, False])
def test_there_and_back(rounded):
    window = make_window()
    boxes = np.array([[3., -4, 50, 60], [0, 0, 10, 10]])
    there = window.to_image(boxes, rounded)
    np.testing.assert_allclose(window.to_crop(there, rounded), boxes,
                               atol=1e-12)
    np.testing.assert_allclose(there[:, 2:], boxes[:, 2:] / window.scale)
    middle = np.array([60., 45.])
    if rounded:
        # By the corner, from which the crop's middle is 127.5 pixels away.
        middle += 127.5 / window.scale - window.side / 2
    np.testing.assert_allclose(there[1, :2], middle)


def test_the_whole_crop_covers_the_window():
    window = make_window()
    found = window.extent(np.array([0., 0, 255, 255]))
    np.testing.assert_allclose(
        found, [60 - window.side / 2, 45 - window.side / 2] +
        [window.side] * 2)
