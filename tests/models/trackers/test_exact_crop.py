"""Crops between pixels: boxes, RoIs and masks of a whole session."""
import cv2
import numpy as np
import pytest
import torch
from drawn_squares import HEIGHT, WIDTH, draw_square, read_square

from siamattn_mm.models.heads.refinement_rois import crop_masks
from siamattn_mm.models.trackers.runtime import mask_rois


@pytest.fixture
def watching(scripted):
    """Makes a session that sees the drawn square where it is in the crop."""

    class Watching(scripted.Script):
        """Reads boxes from crops; a mask fills its RoI."""
        makes_masks = False

        def template(self, crop):
            self.template_crop = crop
            return crop

        def search(self, templates, crops, learnt):
            box = read_square(crops[0])
            box[2:] = self.size
            self.things = [(box, 1.)]
            return super().search(templates, crops, learnt)

        def segment(self, fused, boxes):
            return np.ones((len(boxes), 64, 64), np.float32)

    def make(size, exact, **kwargs):
        session, script = scripted(
            test_cfg=dict(
                exact_crop=exact, min_size=5, refine=dict(mask_thr=.499)),
            kind=Watching)
        script.size = np.array(size)
        for name, value in kwargs.items():
            setattr(script, name, value)
        return session, script

    return make


def scale_of(w, h):
    """Crop pixels per image pixel."""
    return 127 / np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))


def xywh(box):
    """From cxcywh at pixels' centres to pixels' edges."""
    cx, cy, w, h = box
    return np.array([cx + .5 - w / 2, cy + .5 - h / 2, w, h])


def follow(make, exact, **kwargs):
    """Track a square by steps of less than a pixel.

    Returns:
        tuple: Errors (N, 4) of xywh, and the script.
    """
    box = np.array([90.3, 70.7, 30.4, 24.2])
    session, script = make(box[2:] * scale_of(*box[2:]), exact, **kwargs)
    session.start(draw_square(box), xywh(box))
    errors = []
    for _ in range(5):
        box[:2] += .37, -.83
        result = session.step(draw_square(box))
        errors.append(result.bbox - xywh(box))
    return np.array(errors), script


def test_a_square_is_followed_between_pixels(watching):
    errors, script = follow(watching, True)
    # OpenCV cuts at every 32nd of a pixel.
    assert np.abs(errors).max() < 1 / 32
    assert np.abs(errors.mean(0)).max() < .01
    # The template, too, is cut out around its middle.
    place = read_square(script.template_crop)[:2]
    assert np.abs(place).max() < .02


def test_the_released_way_is_half_a_pixel_off(watching):
    errors, script = follow(watching, False)
    assert np.abs(errors[:, :2]).max() > .3
    assert np.abs(errors[:, :2]).max() < 1.5


def test_a_square_that_does_not_move_stays(watching):
    box = np.array([90.3, 70.7, 30.4, 24.2])
    session, _ = watching(box[2:] * scale_of(*box[2:]), True)
    session.start(draw_square(box), xywh(box))
    for _ in range(20):
        result = session.step(draw_square(box))
    np.testing.assert_allclose(result.bbox, xywh(box), rtol=0, atol=.02)


@pytest.mark.parametrize('exact, middle', [(True, 127), (False, 127.5)])
def test_rois_lie_where_training_has_them(model, frames, monkeypatch, exact,
                                          middle):
    """Its boxes count from pixel 0's centre, so a crop's middle is 127."""
    model.test_cfg.exact_crop = exact
    cls_score = torch.zeros(1, 10, 25, 25)
    cls_score[0, 7, 12, 12] = 20.  # the square anchor in the middle
    monkeypatch.setattr(model.head, 'forward',
                        lambda z, x: (cls_score, torch.zeros(1, 20, 25, 25)))
    seen = {}

    def predict_box(fused, box):
        seen['box'] = box
        return box

    def predict_mask(fused, rois):
        seen['mask'] = rois
        return torch.zeros(1, 1, 64, 64)

    monkeypatch.setattr(model.refine_head, 'predict_box', predict_box)
    monkeypatch.setattr(model.refine_head, 'predict_mask', predict_mask)
    session = model.new_session()
    session.start(frames[0], (60., 40., 30., 30.))
    session.step(frames[1])
    assert seen['box'].tolist() == [[middle, middle, 64, 64]]
    x1, y1, x2, y2 = seen['mask'][0, 1:].tolist()
    assert (x1 + x2) / 2 == pytest.approx(middle, abs=1e-4)
    assert (y1 + y2) / 2 == pytest.approx(middle, abs=1e-4)


def test_what_is_segmented_as_in_training_is_the_square(watching):
    """In boxes that are too large: each cell is where it was trained."""
    overlaps, errors = [], []
    for box in ((101, 77, 21, 34), (82, 58, 36, 34), (70, 60, 30, 38),
                (91, 63, 27, 25), (77, 71, 33, 22), (85, 62, 29, 29)):
        x, y, w, h = box
        truth = np.zeros((HEIGHT, WIDTH), bool)
        truth[y:y + h, x:x + w] = True
        middle = np.array([x + (w - 1) / 2, y + (h - 1) / 2])
        frame = draw_square([*middle, w, h])
        session, script = watching(
            1.3 * np.array([w, h]) * scale_of(w, h), True, makes_masks=True)

        def segment(fused, boxes, script=script):
            rois = torch.from_numpy(mask_rois(boxes, 127))
            rois[:, 1:] += .5  # `crop_masks` counts from pixels' edges
            inside = torch.from_numpy(script.crops[..., 0] > 130)
            return crop_masks(inside, rois, (64, 64))[:, 0].numpy()

        script.segment = segment
        session.start(frame, (x + 2.3, y - 1.8, w, h))
        found = session.step(frame).pasted_mask.full()
        overlaps.append((found & truth).sum() / (found | truth).sum())
        rows, columns = np.nonzero(found)
        errors.append([columns.mean(), rows.mean()] - middle)
    assert min(overlaps) > .95
    # A row or a column more on one side is half a pixel.
    assert np.abs(errors).max() < .51
    assert np.abs(np.mean(errors, 0)).max() < .15


@pytest.mark.parametrize('box', [(101, 77, 21, 34), (82, 58, 36, 34),
                                 (70, 60, 30, 41)])
def test_a_full_mask_is_the_square(watching, box):
    """Of whole pixels: not one more, not one less."""
    x, y, w, h = box
    truth = np.zeros((HEIGHT, WIDTH), bool)
    truth[y:y + h, x:x + w] = True
    frame = draw_square([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
    size = np.array([w, h]) * scale_of(w, h)
    session, _ = watching(size, True, makes_masks=True)
    session.start(frame, box)
    mask = session.step(frame).pasted_mask
    np.testing.assert_array_equal(mask.full(), truth)


def test_a_model_tracks_so(model, frames):
    boxes = []
    for exact in (False, True):
        model.test_cfg.exact_crop = exact
        session = model.new_session()
        session.start(frames[0], (60., 40., 30., 24.))
        result = session.step(frames[1])
        assert np.isfinite(result.bbox).all()
        assert result.pasted_mask.full().shape == frames[0].shape[:2]
        boxes.append(result.bbox)
    assert not np.allclose(*boxes, atol=1e-3)


@pytest.mark.parametrize('bbox', [(-20., -15., 40., 30.), (80., 60., .1, .1),
                                  (195., 155., 60., 60.)])
def test_boxes_at_the_limits_can_be_tracked(scripted, bbox):
    frame = cv2.GaussianBlur(
        np.random.default_rng(0).integers(
            0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), (5, 5), 0)
    session, script = scripted(test_cfg=dict(exact_crop=True))
    script.things = [((5., -4., 60., 70.), .9)]
    session.start(frame, bbox)
    for _ in range(3):
        assert np.isfinite(session.step(frame).bbox).all()
