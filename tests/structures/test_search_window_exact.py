"""Windows cut between pixels, against squares drawn between pixels."""
import cv2
import numpy as np
import pytest
from drawn_squares import HEIGHT, PAD, WIDTH, draw_square, read_square

from siamattn_mm.datasets.transforms.crop_geometry import (
    crop_matrix,
    warp_bbox,
    warp_image,
)
from siamattn_mm.structures.search_window import SearchWindow

SIZES = dict(size=255, exemplar_size=127, context_amount=.5)


# x, y, w, h of a box whose window needs no rounding.
ON_GRID = 81.25, 52.75, 39., 11.


def recovered(target, around, **kwargs):
    """Draw, cut out, read, and carry back to the image."""
    window = SearchWindow.around(np.array(around), **SIZES, **kwargs)
    crop = window.crop(draw_square(target), PAD)
    assert crop.shape == (255, 255, 3) and crop.dtype == np.uint8
    return window.to_image(read_square(crop))


PLACES = [
    # Where a drawn square is, and around what the window lies.
    ((90.3, 70.7, 30.4, 24.2), (90.3, 70.7, 30.4, 24.2)),
    ((93.9, 66.1, 30.4, 24.2), (90.25, 70.6, 31.3, 22.9)),
    ((80.5, 60.5, 21., 33.), (84.43, 55.21, 19.8, 30.1)),
    ((100.01, 79.99, 14.6, 14.6), (97.77, 81.13, 15.2, 13.9)),
]


@pytest.mark.parametrize('target, around', PLACES)
def test_a_square_is_recovered_to_a_hundredth_of_a_pixel(target, around):
    found = recovered(target, around, exact=True)
    np.testing.assert_allclose(found[:2], target[:2], rtol=0, atol=.01)
    np.testing.assert_allclose(found[2:], target[2:], rtol=0, atol=.1)


def test_whole_pixels_are_off_by_more():
    """The released tracker's way, by how the places fall."""
    errors = [
        np.abs(recovered(target, around)[:2] - target[:2]).max()
        for target, around in PLACES
    ]
    assert max(errors) > .2


def test_a_larger_window_shows_the_same_place():
    target, around = PLACES[1]
    found = recovered(target, around, exact=True, zoom=1.7)
    # OpenCV cuts at every 32nd of a pixel, which a coarser crop averages less.
    np.testing.assert_allclose(found[:2], target[:2], rtol=0, atol=.02)


@pytest.mark.parametrize('exact', [True, False])
def test_zoom_is_the_sides(exact):
    # Its sides lie on the grid without any rounding.
    box = np.array([90., 70, *ON_GRID[2:]])
    usual, larger = (
        SearchWindow.around(box, **SIZES, exact=exact, zoom=zoom)
        for zoom in (1., 2.5))
    assert larger.side == pytest.approx(2.5 * usual.side, abs=1.5)
    assert larger.scale == pytest.approx(usual.scale / 2.5)
    assert larger.size == usual.size
    if exact:
        assert usual.side == pytest.approx(255 / usual.scale)
    else:
        assert isinstance(usual.side, int) and isinstance(larger.side, int)


def test_is_the_crop_that_training_has():
    """Pixel by pixel; training's boxes count from the upper left corner."""
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), (5, 5), 0)
    x, y, w, h = ON_GRID
    matrix = crop_matrix((x, y, w, h), 255)
    box = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
    window = SearchWindow.around(box, **SIZES, exact=True)
    pad = cv2.mean(np.ascontiguousarray(frame[::4, ::4]))[:3]
    np.testing.assert_array_equal(
        window.crop(frame, pad), warp_image(frame, matrix, 255))
    # And so are boxes, whose middle is pixel 127 there.
    x1, y1, x2, y2 = warp_bbox((x + 3, y - 2, w, h), matrix, 255)
    moved = window.to_crop(box + (3, -2, 0, 0))
    np.testing.assert_allclose(
        moved, [(x1 + x2) / 2 - 127, (y1 + y2) / 2 - 127, x2 - x1, y2 - y1],
        atol=1e-4)


@pytest.mark.parametrize('rounded', [True, False])
def test_there_and_back(rounded):
    window = SearchWindow.around(
        np.array([90.3, 70.7, 30.4, 24.2]), **SIZES, exact=True)
    boxes = np.array([[3., -4, 50, 60], [0, 0, 10, 10]])
    there = window.to_image(boxes, rounded)
    np.testing.assert_allclose(
        window.to_crop(there, rounded), boxes, atol=1e-12)
    # The crop's middle is the window's, whose next grid point is taken.
    np.testing.assert_array_equal(there[1, :2], window.centre)
    assert 0 < np.abs(window.centre - [90.3, 70.7]).max() <= 1 / 128


def test_last_digits_are_the_same_window():
    box = np.array([90.3, 70.7, 30.4, 24.2])
    window = SearchWindow.around(box, **SIZES, exact=True)
    frame = np.random.default_rng(0).integers(
        0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    crop = window.crop(frame, PAD)
    for shift in (1e-3, -1e-3):
        other = SearchWindow.around(box + shift, **SIZES, exact=True)
        np.testing.assert_array_equal(other.crop(frame, PAD), crop)
        # What is found in it is not rounded.
        np.testing.assert_allclose(
            other.to_image(other.to_crop(box + shift)), box + shift)
    moved = SearchWindow.around(box + (1 / 32, 0, 0, 0), **SIZES, exact=True)
    assert (moved.crop(frame, PAD) != crop).any()


def test_a_window_of_less_than_a_grid_step_is_one():
    window = SearchWindow.around(
        np.array([20., 20, 1e-6, 1e-6]), **SIZES, exact=True)
    assert 0 < window.side < .1 and np.isfinite(window.scale)


def test_extents_count_from_pixels_edges():
    box = np.array([90.25, 70.75, 30.4, 24.2])
    window = SearchWindow.around(box, **SIZES, exact=True)
    found = window.extent(window.to_crop(box))
    # The first pixel is 0..1 there, and -0.5..0.5 by its centre.
    np.testing.assert_allclose(
        found, [90.25 - 15.2 + .5, 70.75 - 12.1 + .5, 30.4, 24.2])
    whole = window.extent(np.array([0., 0, 255, 255]))
    np.testing.assert_allclose(
        whole, [90.75 - window.side / 2, 71.25 - window.side / 2] +
        [window.side] * 2)


def test_outside_the_image_is_the_padding():
    frame = np.zeros((40, 40, 3), np.uint8)
    window = SearchWindow.around(
        np.array([2., 2, 12, 12]), **SIZES, exact=True)
    crop = window.crop(frame, (10., 20., 30.))
    assert crop[0, 0].tolist() == [10, 20, 30] and not crop[-1, -1].any()
    far = window._replace(centre=np.array([-400., 900.]))
    assert (far.crop(frame, (10., 20., 30.)) == [10, 20, 30]).all()


def test_crop_of_a_strided_view():
    """The test loop hands over (C, H, W) frames as (H, W, C) views."""
    frame = draw_square(PLACES[0][0])
    view = np.ascontiguousarray(frame.transpose(2, 0, 1)).transpose(1, 2, 0)
    window = SearchWindow.around(
        np.array(PLACES[0][1]), **SIZES, exact=True)
    np.testing.assert_array_equal(
        window.crop(view, (0, 0, 0)), window.crop(frame, (0, 0, 0)))
