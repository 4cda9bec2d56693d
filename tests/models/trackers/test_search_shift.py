"""Where in the image is searched, if a part expects the target there."""
import numpy as np
from drawn_squares import draw_square, read_square
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import OnlinePart


@TASK_UTILS.register_module(force=True)
class ToyShift(OnlinePart):
    """Always looks three pixels further right."""

    def learn(self, target, views):
        return 0

    def search_shift(self, state):
        return np.array([3., 0.])

    def update(self, state, outcome):
        return state


def watch(scripted, parts, steps, exact=True):
    """Track a square that moves; where it is in each crop, in its pixels.

    Returns:
        tuple: (N, 2), and the errors of the found boxes, (N, 4).
    """
    session, script = scripted(*parts, test_cfg=dict(exact_crop=exact))
    search = script.search

    def look(templates, crops, learnt):
        script.things = [(read_square(crops[0]), 1.)]
        return search(templates, crops, learnt)

    box = np.array([90.3, 70.7, 30, 24])
    edges = np.array([.5, .5, 0, 0])
    corner = (box[:2] - box[2:] / 2, box[2:])
    session.start(draw_square(box), np.concatenate(corner) + edges)
    script.search = look
    places, errors = [], []
    for step in steps:
        box[:2] += step
        scale = session.frame_step.window(session.state).scale
        result = session.step(draw_square(box))
        places.append(script.things[0][0][:2] / scale)
        errors.append(
            result.bbox[:2] + result.bbox[2:] / 2 - box[:2] - .5)
    return np.array(places), np.array(errors)


def test_the_crops_middle_is_where_it_is_expected(scripted):
    steps = [(4, -2), (4, -2), (4, 2), (0, 0)]
    places, errors = watch(scripted, [dict(type='MotionPrediction')], steps)
    # Moved by a step, half of the last one of which was expected.
    np.testing.assert_allclose(
        places, [(4, -2), (2, -1), (2, 3), (-2, -1)], atol=.1)
    # Wherever the crop lies, the box lies where the target is.
    assert np.abs(errors).max() < .1
    plain, errors = watch(scripted, [], steps)
    np.testing.assert_allclose(plain, steps, atol=.1)
    assert np.abs(errors).max() < .1


def test_what_parts_expect_adds_up(scripted):
    parts = [dict(type='MotionPrediction', share=1.), dict(type='ToyShift')]
    places, _ = watch(scripted, parts, [(4, -2), (4, -2)])
    np.testing.assert_allclose(places, [(1, -2), (-3, 0)], atol=.1)
