"""How much of the image is searched while a target is lost."""
import numpy as np
import pytest
from drawn_squares import draw_square, read_square
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import OnlinePart

BOX = (86., 66., 30., 24.)  # xywh, around the image's middle
FRAME = draw_square([100.5, 77.5, 30, 24])


def presence(**kwargs):
    return dict(type='TargetPresence', hold_score=.3, lost_after=2, **kwargs)


def shown(crop):
    """How large the square is in the crop, in pixels."""
    share = (crop[..., 0].astype(float) - 20) / 220
    return share[127].clip(0).sum()


def widths(scripted, scores, *parts, **kwargs):
    """Of the square in each frame's crop, in those of the first one's."""
    session, script = scripted(*parts, lr=0., **kwargs)
    # Padding like the background, so that the square alone is bright.
    session.start(FRAME, BOX)
    session.state = session.state._replace(pad_value=(20., ) * 3)
    found = []
    for score in scores:
        script.things = [((0., 0., 60., 60.), score)]
        session.step(FRAME)
        found.append(shown(script.crops[0]))
    return np.array(found) / found[0], session


@pytest.mark.parametrize('exact', [True, False])
def test_grows_while_lost_and_is_back_at_once(scripted, exact):
    scores = [.9] + [.1] * 8 + [.9, .9]
    part = presence(max_zoom=2., zoom_frames=4)
    found, _ = widths(
        scripted, scores, part, test_cfg=dict(exact_crop=exact))
    # Two frames without it are usual; then it grows for four frames.
    zooms = np.array([1, 1, 1, 1.25, 1.5, 1.75, 2, 2, 2, 2, 1])
    np.testing.assert_allclose(1 / found, zooms, rtol=.03)


def test_does_not_grow_unless_told_to(scripted):
    found, _ = widths(scripted, [.9] + [.1] * 8, presence())
    np.testing.assert_allclose(found, 1, rtol=.01)


def test_what_is_found_in_a_large_window_lies_where_it_is(scripted):
    """And has the size that it has."""
    part = presence(max_zoom=2., zoom_frames=2)
    _, session = widths(
        scripted, [.9] + [.1] * 6, part, test_cfg=dict(exact_crop=True))
    script = session.frame_step.runtime
    # It is elsewhere by now, further than the usual window shows.
    box = np.array([158.3, 62.7, 30, 24])
    frame = draw_square(box)
    search = script.search

    def look(templates, crops, learnt):
        script.things = [(read_square(crops[0]), .9)]
        return search(templates, crops, learnt)

    script.search = look
    result = session.step(frame)
    assert not result.lost
    middle = result.bbox[:2] + result.bbox[2:] / 2
    np.testing.assert_allclose(middle, box[:2] + .5, rtol=0, atol=.05)
    np.testing.assert_allclose(result.bbox[2:], [30, 24], atol=.5)
    # From then on the window is the usual one, around it.
    script.search = search
    session.step(frame)
    np.testing.assert_allclose(
        read_square(script.crops[0])[:2], 0, rtol=0, atol=.2)


@TASK_UTILS.register_module(force=True)
class ToyZoom(OnlinePart):
    """Always searches 1.5 times as far."""

    def learn(self, target, views):
        return 0

    def search_zoom(self, state):
        return 1.5

    def update(self, state, outcome):
        return state


def test_the_largest_zoom_counts(scripted):
    part = presence(max_zoom=2., zoom_frames=1)
    found, _ = widths(
        scripted, [.9] + [.1] * 4, dict(type='ToyZoom'), part)
    # The first frame's is 1.5 itself.
    np.testing.assert_allclose(
        1.5 / found, [1.5, 1.5, 1.5, 2, 2], rtol=.03)


def test_a_part_asks_for_no_more_unless_it_says_so():
    assert OnlinePart().search_zoom(None) == 1


def test_the_first_frames_views_are_the_usual_ones(scripted):
    """Nothing is learnt yet."""
    session, script = scripted(
        dict(type='BoxCalibration'), dict(type='ToyZoom'))
    script.things = [((0., 0., 60., 60.), .9)]
    seen = []
    search = script.search

    def look(templates, crops, learnt):
        seen.append(crops[0])
        return search(templates, crops, learnt)

    script.search = look
    session.start(FRAME, BOX)
    script.search = search
    session.step(FRAME)
    assert shown(seen[0]) / shown(script.crops[0]) == pytest.approx(
        1.5, rel=.03)
