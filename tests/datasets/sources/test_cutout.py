"""Tests of cutting out and pasting."""
import numpy as np
import pytest

from siamattn_mm.datasets.sources.base import Frame
from siamattn_mm.datasets.sources.cutout import (
    blur_placed,
    cut_out,
    paste,
    place_cutout,
)

CANVAS = (100, 80)


def make_frame(box=(10, 20, 30, 20), size=(60, 50)):
    """A red rectangle whose left half is green."""
    x, y, w, h = box
    img = np.full((size[1], size[0], 3), 90, np.uint8)
    img[y:y + h, x:x + w] = (0, 0, 255)
    img[y:y + h, x:x + w // 2] = (0, 255, 0)
    mask = np.zeros(size[::-1], np.uint8)
    mask[y:y + h, x:x + w] = 1
    bbox = np.array(box, np.float32)
    return Frame(img, bbox, mask, 'image')


def place(cutout, **changes):
    """Place a cut-out on a grey canvas: the canvas, and where it is."""
    arguments = dict(centre=(50, 40), size=24, canvas_size=CANVAS)
    arguments.update(changes)
    placed, (x, y) = place_cutout(cutout, **arguments)
    mask = np.zeros(CANVAS[::-1], bool)
    mask[y:y + placed.shape[0], x:x + placed.shape[1]] = placed[..., 3] > 127
    canvas = np.full(CANVAS[::-1] + (3, ), 90, np.uint8)
    paste(canvas, placed, (x, y))
    return canvas, mask


def test_cut_out_leaves_the_mixed_outline_behind():
    cutout = cut_out(make_frame())
    # 30x20 less a pixel at each side, and two pixels around it.
    assert cutout.shape == (18 + 4, 28 + 4, 4)
    assert (cutout[..., 3] == 255).sum() == 28 * 18
    assert (cutout[..., :3] != 90).any(axis=2)[cutout[..., 3] > 0].all()


def test_cut_out_at_the_image_border_has_a_clear_border():
    cutout = cut_out(make_frame(box=(0, 0, 30, 20)))
    alpha = cutout[..., 3]
    assert not alpha[0].any() and not alpha[:, 0].any()
    assert alpha.max() == 255


def test_thin_objects_are_not_eroded_away():
    assert cut_out(make_frame(box=(10, 20, 30, 2))) is not None


def test_nothing_to_cut_out():
    frame = make_frame()
    frame.mask[:] = 0
    assert cut_out(frame) is None


def test_max_size():
    cutout = cut_out(make_frame(box=(0, 0, 60, 40)), max_size=20)
    height, width = cutout.shape[:2]
    assert np.sqrt(height * width) == pytest.approx(20, abs=3)


@pytest.mark.parametrize('change', [
    dict(), dict(angle=30), dict(stretch=1.5), dict(flip=True),
    dict(wave=(0.1, 1, 0.2)), dict(centre=(2, 3)), dict(size=60),
])
def test_mask_is_where_the_object_is_seen(change):
    canvas, mask = place(cut_out(make_frame()), **change)
    seen = (np.abs(canvas.astype(int) - 90) > 60).any(axis=2)
    assert mask.sum() > 50
    # The soft edge is about a pixel wide.
    assert (seen & mask).sum() / (seen | mask).sum() > 0.8
    assert not canvas[~mask][np.abs(canvas[~mask].astype(int) - 90).max(
        axis=1) > 140].size


def test_centre_and_size():
    _, mask = place(cut_out(make_frame()), centre=(60, 30), size=40)
    rows, columns = np.nonzero(mask)
    assert columns.mean() == pytest.approx(59.5, abs=0.5)
    assert rows.mean() == pytest.approx(29.5, abs=0.5)
    assert np.ptp(columns) > np.ptp(rows)


def test_flip_and_half_turn():
    cutout = cut_out(make_frame())
    plain, _ = place(cutout)
    flipped, _ = place(cutout, flip=True)
    turned, _ = place(cutout, angle=180)
    assert plain[40, 42, 1] > 200 and plain[40, 58, 2] > 200
    assert flipped[40, 42, 2] > 200 and flipped[40, 58, 1] > 200
    assert turned[40, 42, 2] > 200 and turned[40, 58, 1] > 200


def test_gain():
    canvas, mask = place(cut_out(make_frame()), gain=0.5)
    assert canvas[mask].max() <= 128


def test_outside_the_canvas():
    placed, corner = place_cutout(
        cut_out(make_frame()), centre=(-50, 40), size=24, canvas_size=CANVAS)
    assert placed.size == 0
    canvas = np.full((80, 100, 3), 90, np.uint8)
    paste(canvas, placed, corner)
    assert (canvas == 90).all()


def test_motion_blur_is_as_long_as_the_motion():
    cutout = cut_out(make_frame())
    placed, corner = place_cutout(cutout, (50, 40), 24, CANVAS)
    blurred, (x, y) = blur_placed(placed, corner, (12, 0), CANVAS)
    alpha, before = np.zeros(CANVAS[::-1]), np.zeros(CANVAS[::-1])
    alpha[y:y + blurred.shape[0], x:x + blurred.shape[1]] = blurred[..., 3]
    before[corner[1]:corner[1] + placed.shape[0],
           corner[0]:corner[0] + placed.shape[1]] = placed[..., 3]
    # It stays where it is, its area included, and gets wider.
    assert alpha.sum() == pytest.approx(before.sum(), rel=0.02)
    for axis in (0, 1):
        places = np.arange(alpha.shape[1 - axis])
        means = [np.average(places, weights=a.sum(axis))
                 for a in (alpha, before)]
        assert means[0] == pytest.approx(means[1], abs=0.3)
    width = [np.count_nonzero(a.max(axis=0) > 12) for a in (alpha, before)]
    height = [np.count_nonzero(a.max(axis=1) > 12) for a in (alpha, before)]
    assert 9 <= width[0] - width[1] <= 13 and height[0] == height[1]
    # Half of the time: where the object was before.
    iou = ((alpha > 127) & (before > 127)).sum() / (
        (alpha > 127) | (before > 127)).sum()
    assert iou > 0.9


def test_motion_blur_keeps_the_object_s_colour():
    frame = make_frame()
    x, y, w, h = (int(v) for v in frame.bbox)
    frame.img[y:y + h, x:x + w] = (0, 0, 255)
    placed, corner = place_cutout(cut_out(frame), (50, 40), 24, CANVAS)
    blurred, _ = blur_placed(placed, corner, (6, 8), CANVAS)
    seen = blurred[blurred[..., 3] > 30]
    assert (seen[:, 2] > 245).all() and (seen[:, :2] < 10).all()


def test_no_motion_is_no_blur():
    placed, corner = place_cutout(cut_out(make_frame()), (50, 40), 24, CANVAS)
    same, where = blur_placed(placed, corner, (0, 0), CANVAS)
    assert same is placed and where == corner


def test_blurred_at_the_canvas_border():
    placed, corner = place_cutout(cut_out(make_frame()), (2, 40), 24, CANVAS)
    blurred, (x, y) = blur_placed(placed, corner, (0, 8), CANVAS)
    assert x == 0 and blurred.shape[1] == placed.shape[1]
    outside, (x, y) = blur_placed(placed, corner, (10, 0), CANVAS)
    assert x == 0 and y + outside.shape[0] <= CANVAS[1]
