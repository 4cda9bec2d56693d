"""Which box is said to be the target's, and that it is not followed."""
import numpy as np
import pytest
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import OnlinePart

HEIGHT, WIDTH = 160, 200
BOX = (86., 66., 30., 24.)  # xywh
TRUTH = np.array([86 + 29 / 2, 66 + 23 / 2, 30., 24.])  # cxcywh
FRAME = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
SCALE = 127 / np.sqrt(57 * 51)
# Off the middle, in image pixels; sizes likewise.
PROPOSAL = np.array([0., 0, 30, 24])
REFINED = np.array([4., -2, 36, 24])
CORRECTED = np.array([10., 2, 30, 36])


@TASK_UTILS.register_module(force=True)
class ToyCorrection(OnlinePart):
    """Knows better."""

    def learn(self, target, views):
        return 0

    def correct(self, state, features, box):
        np.testing.assert_allclose(box, REFINED * SCALE, rtol=1e-6)
        return CORRECTED * SCALE

    def update(self, state, outcome):
        return state


@pytest.fixture
def tracked(scripted):
    """Makes a session's first result, and its state's box behind it."""

    class Guesses(scripted.Script):
        """A refined box, and a mask that fills a part of its RoI."""
        refines_boxes = True
        makes_masks = False

        def refine_boxes(self, fused, boxes):
            return np.stack([REFINED * SCALE])

        def segment(self, fused, boxes):
            self.rois = boxes
            mask = self.first_mask if self.first else self.mask
            return mask[None].astype(np.float32)

    def track(report=None, mask=None, score=1., mask_scale=1., parts=(),
              lr=1., first_mask=None):
        refine = dict(mask_thr=.499, mask_scale=mask_scale)
        test_cfg = dict(exact_crop=True, min_size=5, refine=refine)
        if report is not None:
            test_cfg['report'] = report
        session, script = scripted(
            dict(type='ToyCorrection'), *parts, test_cfg=test_cfg,
            kind=Guesses, lr=lr)
        if mask is not None:
            script.makes_masks, script.mask = True, mask
        script.first, script.first_mask = True, first_mask
        session.start(FRAME, BOX)
        script.first = False
        script.things = [(PROPOSAL * SCALE, score)]
        session.script = script
        return session.step(FRAME), session

    return track


def xywh(box):
    """From a box off the target's old place to the result's."""
    centre = TRUTH[:2] + .5 + box[:2]
    return np.concatenate([centre - np.asarray(box[2:]) / 2, box[2:]])


def share(*shares, **kwargs):
    return dict(shares=shares, **kwargs)


@pytest.mark.parametrize('report, expected', [
    (None, CORRECTED),
    (dict(), CORRECTED),
    (share(1, 0, 0), PROPOSAL),
    (share(0, 1, 0), REFINED),
    (share(.5, .25, .25), (PROPOSAL * 2 + REFINED + CORRECTED) / 4),
    (share(1 / 3, 1 / 3, 1 / 3), (PROPOSAL + REFINED + CORRECTED) / 3),
])
def test_shares_of_three_guesses(tracked, report, expected):
    result, session = tracked(report)
    np.testing.assert_allclose(result.bbox, xywh(expected), atol=.02)
    # What is followed is the corrected box, whatever is said.
    np.testing.assert_allclose(
        session.state.box[:2], TRUTH[:2] + CORRECTED[:2], atol=.02)
    np.testing.assert_allclose(session.state.box[2:], CORRECTED[2:], atol=.02)


def test_sizes_are_smoothed_for_both_in_their_own_way(tracked):
    result, session = tracked(dict(lr=1.), lr=.25, score=.8)
    lr = .25 * .8
    np.testing.assert_allclose(
        session.state.box[2:], TRUTH[2:] * (1 - lr) + CORRECTED[2:] * lr,
        atol=.02)
    np.testing.assert_allclose(
        result.bbox[2:], TRUTH[2:] * .2 + CORRECTED[2:] * .8, atol=.02)
    # Unless another one is given it is the same.
    result, session = tracked(share(0, 0, 1), lr=.25, score=.8)
    np.testing.assert_array_equal(result.bbox[2:], session.state.box[2:])


@TASK_UTILS.register_module(force=True)
class ToyDoubt(OnlinePart):
    """Refuses the best one."""

    def learn(self, target, views):
        return 0

    def choose(self, state, ranking, best, window):
        refused = np.zeros(ranking.total.shape, bool)
        refused[best] = True
        return refused, None

    def accepts(self, state, note, box, score):
        return True

    def update(self, state, outcome):
        return state


def test_a_doubtful_targets_size_stays(tracked):
    result, _ = tracked(
        share(1 / 3, 1 / 3, 1 / 3, lr=1.), parts=[dict(type='ToyDoubt')])
    np.testing.assert_allclose(result.bbox[2:], TRUTH[2:])


def test_it_stays_in_the_image(tracked):
    far = share(1, 0, 0, lr=1.)
    _, session = tracked(far)
    session.script.things = [((-600., 0., 3000., 40.), 1.)]
    result = session.step(FRAME)
    x, y, w, h = result.bbox
    assert 0 <= x + w / 2 <= WIDTH and w <= WIDTH - 1


# -- the mask's box ------------------------------------------------------

LEFT = np.zeros((64, 64))
LEFT[:, :48] = 1.  # three quarters of the width
LEFT[:, 60:62] = 1.  # a smaller part of it does not count


@pytest.mark.parametrize('mask_share', [0., .4, 1.])
def test_the_masks_box_has_its_share(tracked, mask_share):
    result, session = tracked(dict(mask_share=mask_share), LEFT)
    corrected = xywh(CORRECTED)
    expected = corrected - (0, 0, mask_share * corrected[2] / 4, 0)
    # It is a box of whole pixels.
    np.testing.assert_allclose(result.bbox, expected, atol=1.01 * mask_share
                               + .02)
    assert result.pasted_mask.full().any()
    np.testing.assert_allclose(session.state.box[2:], CORRECTED[2:], atol=.02)


@pytest.mark.parametrize('mask_iou, counts', [(.5, True), (.9, False)])
def test_a_mask_that_says_something_else_does_not_count(
        tracked, mask_iou, counts):
    result, _ = tracked(dict(mask_share=1., mask_iou=mask_iou), LEFT)
    assert (result.bbox[2] < CORRECTED[2] - 5) == counts
    # The rotated box is the mask's in any case.
    assert np.ptp(result.polygon[:, 0]) < CORRECTED[2] - 5


def test_without_a_mask_the_box_is_the_means(tracked):
    for mask in (np.zeros((64, 64)), None):
        result, _ = tracked(dict(mask_share=1.), mask)
        np.testing.assert_allclose(result.bbox, xywh(CORRECTED), atol=.02)


FULL = np.ones((64, 64))


@pytest.mark.parametrize('first_mask, share', [
    (FULL, 1.),  # as the box that was given
    (LEFT, .5),  # three quarters of it
    (np.zeros((64, 64)), 0.),
])
def test_the_first_frame_says_how_far_masks_are_trusted(
        tracked, first_mask, share):
    report = dict(mask_share=1., mask_trust=(.5, 1.))
    result, session = tracked(report, LEFT, first_mask=first_mask)
    expected = xywh(CORRECTED) - (0, 0, share * CORRECTED[2] / 4, 0)
    np.testing.assert_allclose(result.bbox, expected, atol=1.1)
    # It is what is said, and not what is followed.
    np.testing.assert_allclose(session.state.box[2:], CORRECTED[2:], atol=.02)


@pytest.mark.parametrize('share', [0., .5, 1.])
def test_what_the_first_mask_lacks_is_added(tracked, share):
    result, _ = tracked(
        dict(mask_share=1., mask_calibration=share), LEFT, first_mask=LEFT)
    width = CORRECTED[2] * .75 / (1 - share / 4)
    np.testing.assert_allclose(
        result.bbox[2:], (width, CORRECTED[3]), atol=1.6)


def test_the_first_frame_is_not_segmented_for_nothing(tracked):
    # There is no first mask, which segment() would stumble over.
    for report in (None, dict(mask_share=1.), dict(mask_trust=(.5, 1.)),
                   dict(mask_calibration=1.)):
        assert tracked(report, LEFT)[1].state.mask_fit is None


@pytest.mark.parametrize('mask_scale', [1., 1.5])
def test_the_mask_may_be_larger_than_the_box(tracked, mask_scale):
    result, session = tracked(
        mask=np.ones((64, 64)), mask_scale=mask_scale)
    roi = session.script.rois[0] / SCALE
    np.testing.assert_allclose(
        roi, CORRECTED * (1, 1, mask_scale, mask_scale), atol=.05)
    rows, columns = np.nonzero(result.pasted_mask.full())
    seen = np.array([np.ptp(columns), np.ptp(rows)]) + 1
    np.testing.assert_allclose(seen, CORRECTED[2:] * mask_scale, atol=1)
    np.testing.assert_allclose(result.bbox, xywh(CORRECTED), atol=.02)
