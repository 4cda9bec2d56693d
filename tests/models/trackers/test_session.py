"""Sessions: geometry by hand, learning parts, copies, threads."""
import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from learning_parts import LEARNING
from mmtrack.registry import MODELS, TASK_UTILS
from torch import nn

from siamattn_mm.models.task_modules import OnlinePart
from siamattn_mm.models.trackers import FrameStep, TrackResult

HEIGHT, WIDTH = 120, 160
BOX = (60., 40., 30., 24.)  # xywh
TRUTH = np.array([60 + 29 / 2, 40 + 23 / 2, 30., 24.])  # cxcywh


def run(model, frames, box=BOX):
    session = model.new_session()
    session.start(frames[0], box)
    return [session.step(frame) for frame in frames[1:]]


def centre_of(result):
    return result.bbox[:2] + result.bbox[2:] / 2


def check_equal(one, other, atol=0.):
    np.testing.assert_allclose(one.bbox, other.bbox, rtol=0, atol=atol)
    assert one.score == pytest.approx(other.score, abs=atol)
    assert (one.pasted_mask.full() ==
            other.pasted_mask.full()).mean() >= 1 - atol


# -- results -------------------------------------------------------------


def test_step_before_start(model, frames):
    with pytest.raises(RuntimeError, match=r'before start\(\)'):
        model.new_session().step(frames[0])


def test_results_of_a_few_frames(model, frames):
    for result in run(model, frames):
        assert isinstance(result, TrackResult)
        assert result.bbox.shape == (4, ) and result.bbox.dtype == np.float64
        assert np.isfinite(result.bbox).all() and 0 <= result.score <= 1
        x, y, w, h = result.bbox
        assert 0 <= x + w / 2 <= WIDTH - 1 and 0 <= y + h / 2 <= HEIGHT - 1
        assert 10 <= w <= WIDTH - 1 and 10 <= h <= HEIGHT - 1
        assert result.pasted_mask.full().shape == (HEIGHT, WIDTH)
        assert result.polygon.shape == (4, 2) and result.lost is False
        again = result.soft_mask.paste(model.test_cfg.refine.mask_thr)
        np.testing.assert_array_equal(again.full(), result.pasted_mask.full())


def test_tracking_is_deterministic_and_starts_afresh(model, frames):
    for first, second in zip(run(model, frames), run(model, frames)):
        check_equal(first, second)


def test_what_is_kept_of_the_template_changes_nothing(model, frames):
    for name, parameter in model.named_parameters():
        if 'alpha' in name or 'gamma' in name:
            nn.init.constant_(parameter, .5)
    session = model.new_session()
    session.start(frames[0], BOX)
    assert session.state.template.neck_state is not None
    template = session.state.template._replace(neck_state=None)
    for frame, expected in zip(frames[1:], run(model, frames)):
        session.state = session.state._replace(template=template)
        check_equal(session.step(frame), expected, 1e-4)


def test_the_proposal_is_the_box(scripted, frames):
    session, script = scripted(lr=.4)
    session.start(frames[0], BOX)
    script.things = [((10., -5., 50., 60.), .8)]
    result = session.step(frames[1])
    assert result.pasted_mask is None and result.polygon is None
    assert result.score == pytest.approx(.8)
    # By hand, from the spec: state, scale, smoothing of the size alone.
    cx, cy, w, h = TRUTH
    s_z = np.sqrt((w + 27) * (h + 27))
    scale = 127 / s_z
    side = round(s_z * 255 / 127)
    lr = .8 * .4
    centre = [(c + 127.5) / scale + origin - side / 2
              for c, origin in ((10, cx), (-5, cy))]
    size = [w * (1 - lr) + 50 / scale * lr, h * (1 - lr) + 60 / scale * lr]
    expected = [centre[0] - size[0] / 2, centre[1] - size[1] / 2, *size]
    np.testing.assert_allclose(result.bbox, expected, rtol=1e-12)


def test_a_penalty_slows_the_size_down(scripted, frames):
    sizes = []
    for penalty_k in (0., 1.):
        session, script = scripted(penalty_k=penalty_k)
        session.start(frames[0], BOX)
        script.things = [((0., 0., 150., 30.), 1.)]
        sizes.append(session.step(frames[1]).bbox[2])
    assert sizes[0] > sizes[1] + 1


def test_box_only_refinement(small_config, frames):
    small_config.model.refine_head.mask_fusion = None
    small_config.model.refine_head.mask_head = None
    for result in run(MODELS.build(small_config.model).eval(), frames):
        assert result.pasted_mask is None and result.polygon is None


def test_the_proposals_box_with_a_mask(model, frames, monkeypatch):
    monkeypatch.setattr(model.refine_head, 'predict_box',
                        lambda fused, box: box * 0 + 100.)
    corners = []
    for refine in (True, False):
        model.test_cfg.refine.box = refine
        result = run(model, frames[:2])[0]
        assert result.pasted_mask is not None
        corners.append(result.bbox[:2])
    assert not np.allclose(*corners)


@pytest.mark.parametrize('bbox', [
    (-20., -15., 40., 30.),
    (WIDTH - 5., HEIGHT - 5., 60., 60.),
    (80., 60., 0.1, 0.1),
    (0., 0., float(WIDTH), float(HEIGHT)),
])
def test_boxes_at_the_limits_can_be_tracked(model, frames, bbox):
    for result in run(model, frames, bbox):
        assert np.isfinite(result.bbox).all()


@pytest.mark.parametrize('shape', [(8, 30), (30, 8), (5, 5)])
def test_image_smaller_than_the_smallest_target(model, shape):
    frame = np.full(shape + (3, ), 128, np.uint8)
    for result in run(model, [frame] * 3, (1., 1., 3., 3.)):
        x, y, w, h = result.bbox
        assert w <= shape[1] - 1 and h <= shape[0] - 1


# -- what learns from the video ------------------------------------------


def test_a_filter_leads_to_the_target(small_config, frames, monkeypatch):
    """Where the network sees nothing at all."""
    config = small_config.model
    config.online = [dict(type='CorrelationFilter', influence=.9)]
    config.test_cfg.refine.box = False
    model = MODELS.build(config).eval()
    monkeypatch.setattr(
        model.head, 'forward', lambda z, x:
        (torch.zeros(1, 10, 25, 25), torch.zeros(1, 20, 25, 25)))
    found = centre_of(run(model, frames)[-1])
    # Whoever does not look stays where the target was, 11 pixels away.
    assert np.abs(found - (TRUTH[:2] + .5 + (9, 6))).max() < 4


def test_a_poor_result_is_reported_but_not_followed(scripted, frames):
    session, script = scripted(dict(type='TargetPresence', hold_score=.3))
    session.start(frames[0], BOX)
    for score, follows in ((.2, False), (.4, True)):
        before = session.state.box
        script.things = [((20., 10., 60., 60.), score)]
        result = session.step(frames[1])
        assert not np.allclose(centre_of(result), before[:2])
        assert (session.state.box != before).any() == follows


def test_a_lost_target_is_said_to_be(scripted, frames):
    session, script = scripted(
        dict(type='TargetPresence', hold_score=.3, recover_score=.9))
    session.start(frames[0], BOX)
    lost = []
    for score in (.1, .1, .1, .5, .95, .5):
        script.things = [((0., 0., 60., 60.), score)]
        lost.append(session.step(frames[1]).lost)
    assert lost == [False, False, True, True, False, False]


def test_the_first_frame_says_how_boxes_differ(scripted, frames):
    """A network that sees all boxes 1.2 times too wide and too far right."""
    session, script = scripted(dict(type='BoxCalibration', share=.5))

    def see(box, scale):
        bbox = TRUTH * scale
        bbox[:2] -= box[:2] * scale
        script.things = [(bbox * (1, 1, 1.2, 1) + (.1 * bbox[2], 0, 0, 0), 1.)]

    search = script.search
    views = []

    def watched(templates, crops, learnt):
        assert learnt == [(None, )]
        dx, dy, zoom = ((0., 0., 1.), (.3, .3, 1.), (-.3, .3, 1.),
                        (.3, -.3, 1.), (-.3, -.3, 1.), (0., 0., .85),
                        (0., 0., 1.18))[len(views)]
        box = np.concatenate([TRUTH[:2] + (dx, dy) * TRUTH[2:],
                              TRUTH[2:] * zoom])
        views.append(box)
        see(box, 127 / np.sqrt((box[2] + box[2:].sum() / 2) *
                               (box[3] + box[2:].sum() / 2)))
        return search(templates, crops, learnt)

    script.search = watched
    session.start(frames[0], BOX)
    script.search = search
    assert len(views) == 7
    np.testing.assert_allclose(session.state.learnt[0],
                               [.05, 0, np.log(1.2) / 2, 0], atol=1e-9)
    np.testing.assert_allclose(session.state.box, TRUTH)
    see(TRUTH, 127 / np.sqrt(57 * 51))
    width = session.step(frames[1]).bbox[2]
    assert width == pytest.approx(30 * np.sqrt(1.2))


def test_a_hidden_target_is_not_the_next_thing_that_looks_like_it(
        scripted, frames):
    session, script = scripted(
        dict(type='CorrelationFilter', influence=0.),
        dict(type='DistractorAssociation'),
        dict(type='TargetPresence', hold_score=.3))
    session.start(frames[0], BOX)
    scale = 127 / np.sqrt(57 * 51)
    here = np.array([0., 0, 30, 24]) * scale
    there = here + (45 * scale, 0, 0, 0)
    script.things = [(here, .9), (there, .8)]
    for _ in range(4):
        session.state = session.state._replace(box=TRUTH)
        result = session.step(frames[1])
    assert np.abs(centre_of(result) - TRUTH[:2]).max() < 1
    # Now the target is hidden.
    session.state = session.state._replace(box=TRUTH)
    before = session.state
    script.things = [(here, 0.), (there, .8)]
    result = session.step(frames[1])
    # The other thing was best, so something else was taken.
    assert result.score < .01
    assert np.abs(centre_of(result) - TRUTH[:2]).max() < 20
    np.testing.assert_allclose(result.bbox[2:], TRUTH[2:])
    np.testing.assert_array_equal(session.state.box, TRUTH)
    assert session.state.learnt[0] is before.learnt[0]
    assert session.state.learnt[1].missing == 1


@TASK_UTILS.register_module()
class ToyBrightness(OnlinePart):
    """Refuses what has another brightness than in the first frame."""
    views = 1

    def features(self, low_level, neck_x):
        return (low_level[0].mean((1, 2, 3)), )

    def learn(self, target, views):
        return float(views[0].features[0])

    def accepts(self, state, note, box, score):
        return score <= 1.

    def update(self, state, outcome):
        return state + float(outcome.features[0])


def test_a_part_of_ones_own_takes_one_line(small_config, frames):
    small_config.model.online = [dict(type='ToyBrightness')]
    session = MODELS.build(small_config.model).eval().new_session()
    session.start(frames[0], BOX)
    first, = session.state.learnt
    session.step(frames[1])
    assert session.state.learnt[0] != first != 0


# -- copies and threads --------------------------------------------------


@pytest.fixture
def learning(small_config):
    """A model with all parts that learn."""
    small_config.model.online = LEARNING
    return MODELS.build(small_config.model).eval()


def test_copies_of_a_session_go_on_where_it_was(learning, frames):
    session = learning.new_session()
    session.start(frames[0], BOX)
    session.step(frames[1])
    copies = [pickle.loads(pickle.dumps(session)), copy.deepcopy(session),
              copy.copy(session)]
    expected = session.step(frames[2])
    for other in copies:
        check_equal(other.step(frames[2]), expected)
    # The last one shares the network, but nothing of the video.
    assert copies[2].frame_step.runtime is session.frame_step.runtime
    check_equal(copies[2].step(frames[3]), session.step(frames[3]))


def test_a_state_can_be_gone_back_to(learning, frames):
    session = learning.new_session()
    session.start(frames[0], BOX)
    state = session.state
    expected = [session.step(frame) for frame in frames[1:]]
    session.state = state
    for frame, result in zip(frames[1:], expected):
        check_equal(session.step(frame), result)


def test_two_threads_with_one_model(learning, frames):
    boxes = [BOX, (20., 60., 40., 30.)]
    expected = [run(learning, frames * 3, box) for box in boxes]
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(lambda box: run(learning, frames * 3, box), boxes)
        for one, other in zip(expected, found):
            for first, second in zip(one, other):
                check_equal(first, second)


def test_several_targets_in_one_batch_are_as_each_alone(learning, frames):
    boxes = [BOX, (20., 60., 40., 30.), (100., 20., 25., 50.)]
    step = learning.new_session().frame_step
    assert isinstance(step, FrameStep)
    states = [step.begin(frames[0], box) for box in boxes]
    alone = [run(learning, frames, box) for box in boxes]
    for index, frame in enumerate(frames[1:]):
        results, states = step(frame, states)
        for result, expected in zip(results, alone):
            check_equal(result, expected[index], 1e-3)
            np.testing.assert_allclose(
                result.bbox, expected[index].bbox, atol=1e-4)
