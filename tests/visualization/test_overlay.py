"""Results drawn over frames."""
import numpy as np
import pytest

from siamattn_mm.apis import Result
from siamattn_mm.visualization import draw_result, overlay

GREY = 100


@pytest.fixture
def frame():
    return np.full((120, 160, 3), GREY, np.uint8)


def result_of(bbox=(60., 50., 40., 30.), score=0.876, mask=None, polygon=None):
    return Result(np.array(bbox), score, mask, polygon)


def changed(frame, canvas):
    return (frame != canvas).any(axis=2)


def is_color(pixel, color):
    """Whether it is that colour, smoothed a little at most."""
    return np.abs(pixel.astype(int) - color).max() < 25


def test_box_is_where_it_should_be(frame):
    canvas = draw_result(frame, result_of(), label='')
    rows, columns = np.nonzero(changed(frame, canvas))
    # The outer pixels of 60..99 and 50..79, two pixels wide and smoothed.
    assert abs(columns.min() - 60) <= 2 and abs(columns.max() - 99) <= 2
    assert abs(rows.min() - 50) <= 2 and abs(rows.max() - 79) <= 2
    for y, x in ((50, 80), (79, 80), (65, 60), (65, 99)):
        assert is_color(canvas[y, x], overlay.BOX_COLOR)
    assert not changed(frame, canvas)[56:74, 66:94].any()


def test_the_frame_stays_as_it_is(frame):
    frame.setflags(write=False)
    mask = np.ones((120, 160), bool)
    canvas = draw_result(frame, result_of(mask=mask))
    assert (frame == GREY).all()
    assert canvas.shape == frame.shape and canvas.dtype == np.uint8
    assert canvas.flags.writeable


def test_views_are_drawn_on(frame):
    frame[:, 0] = 0
    canvas = draw_result(frame[:, ::-1], result_of(), label='')
    assert (canvas[:10, -1] == 0).all() and (canvas[:10, 0] == GREY).all()
    assert is_color(canvas[50, 80], overlay.BOX_COLOR)


def test_mask_is_tinted_through_and_outlined(frame):
    mask = np.zeros((120, 160), bool)
    mask[20:45, 110:150] = True
    canvas = draw_result(frame, result_of(mask=mask), label='',
                         mask_opacity=0.25)
    expected = 0.75 * GREY + 0.25 * np.array(overlay.MASK_COLOR)
    inside = canvas[24:41, 114:146].reshape(-1, 3)
    assert np.abs(inside - expected).max() <= 1
    for y, x in ((20, 130), (44, 130), (30, 110), (30, 149)):
        assert is_color(canvas[y, x], overlay.MASK_COLOR)
    outside = changed(frame, canvas)
    outside[18:47, 108:152] = False
    outside[47:83, 57:103] = False  # the box
    assert not outside.any()


def test_hole_of_a_mask_stays_open(frame):
    mask = np.zeros((120, 160), bool)
    mask[10:45, 10:45] = True
    mask[20:35, 20:35] = False
    canvas = draw_result(frame, result_of(mask=mask), label='')
    assert not changed(frame, canvas)[23:32, 23:32].any()
    assert changed(frame, canvas)[13:17, 13:42].all()


def test_empty_mask_changes_nothing(frame):
    empty = np.zeros((120, 160), bool)
    assert (draw_result(frame, result_of(mask=empty)) == draw_result(
        frame, result_of())).all()


def test_polygon_is_a_thin_line(frame):
    polygon = np.array([[20., 20.], [60., 30.], [50., 45.], [15., 40.]])
    plain = draw_result(frame, result_of(), label='')
    canvas = draw_result(frame, result_of(polygon=polygon), label='')
    assert is_color(canvas[25, 40], overlay.POLYGON_COLOR)
    # About one pixel for each of its 127 pixels' length.
    assert 100 < changed(plain, canvas).sum() < 500


def test_label_is_the_score_or_the_given_text(frame):
    score = draw_result(frame, result_of(score=0.876))
    same = draw_result(frame, result_of(score=0.1), label='0.88')
    other = draw_result(frame, result_of(), label='given')
    assert (score == same).all()
    assert (score != other).any()
    # On a plate above the box's corner.
    assert is_color(score[45, 61], overlay.BOX_COLOR)


@pytest.mark.parametrize('bbox', [
    (-30., -20., 40., 30.), (150., 110., 40., 30.), (-500., 5., 2000., 9.),
    (1e9, 1e9, 3., 3.), (5., 5., 0.2, 0.2)
])
def test_boxes_that_leave_the_frame(frame, bbox):
    polygon = np.array([[0., 0.], [-1e8, 0.], [-1e8, 5.], [3., 1e8]])
    canvas = draw_result(frame, result_of(bbox, polygon=polygon))
    assert canvas.shape == frame.shape
    # The label is still readable: its plate is within the frame.
    assert changed(frame, canvas).sum() > 200


def test_label_is_left_out_where_it_would_hide_all():
    frame = np.full((12, 14, 3), GREY, np.uint8)
    result = result_of((2., 3., 8., 5.))
    assert (draw_result(frame, result) == draw_result(
        frame, result, label='')).all()


def test_lines_grow_with_the_frame():
    shares = []
    for scale in (1, 4):
        frame = np.full((480 * scale, 640 * scale, 3), GREY, np.uint8)
        bbox = np.array([200., 150., 160., 120.]) * scale
        canvas = draw_result(frame, result_of(bbox))
        shares.append(changed(frame, canvas).mean())
    assert 0.6 < shares[1] / shares[0] < 1.6
