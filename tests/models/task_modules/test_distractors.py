import numpy as np
import pytest
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import Outcome, Ranking
from siamattn_mm.models.task_modules.distractors import DistractorState
from siamattn_mm.structures.search_window import SearchWindow

TARGET = np.array([100., 80., 20., 40.])
OTHER = np.array([150., 82., 22., 40.])
MIDDLE, SCALE = np.array([90., 70.]), 2.
WINDOW = SearchWindow(MIDDLE, 128, 255, SCALE)


@pytest.fixture
def association():
    return TASK_UTILS.build(dict(type='DistractorAssociation'))


def anchors(*things):
    """Of each (box, score) in the image a few anchors in the crop."""
    boxes, scores = [], []
    for box, score in things:
        for offset in (0., 1., -1.):
            moved = box + (offset, 0, 0, 0)
            moved[:2] -= MIDDLE
            boxes.append(moved * SCALE)
            scores.append(score - abs(offset) / 100)
    boxes, scores = np.array(boxes), np.array(scores)
    return Ranking(boxes, scores, np.ones_like(scores), scores, scores)


def follow(association, state, *things, target=None):
    """One frame: what was recognised, and the next state."""
    ranking = anchors(*things)
    excluded, candidates = association.choose(
        state, ranking, int(ranking.total.argmax()), WINDOW)
    assert (excluded is not None) is candidates.chosen
    outcome = Outcome(target, None, 1., target is not None, False, (),
                      candidates)
    return candidates, association.update(state, outcome)


def both_seen(association, frames=4):
    state = association.learn(TARGET, [])
    for _ in range(frames):
        _, state = follow(
            association, state, (TARGET, .9), (OTHER, .8), target=TARGET)
    return state


def test_candidates_are_in_the_image_one_for_each_thing(association):
    state = association.learn(TARGET, [])
    candidates, state = follow(
        association, state, (TARGET, .9), (OTHER, .8), target=TARGET)
    np.testing.assert_allclose(candidates.boxes, [TARGET, OTHER])
    assert not candidates.known.any() and not candidates.chosen
    # What is not the target is remembered.
    np.testing.assert_allclose(state.boxes, [OTHER])


def test_poor_proposals_look_like_nothing(association):
    candidates, state = follow(
        association,
        association.learn(TARGET, []), (TARGET, .9), (OTHER, .4),
        target=TARGET)
    np.testing.assert_allclose(candidates.boxes, [TARGET])
    assert len(state.boxes) == 0


def test_what_is_near_may_be_a_part_of_the_target(association):
    part = TARGET + (12, 0, -10, 0)
    _, state = follow(
        association,
        association.learn(TARGET, []), (TARGET, .9), (part, .8),
        target=TARGET)
    assert len(state.boxes) == 0


@pytest.mark.parametrize('frames, known', [(2, False), (3, True)])
def test_a_distractor_is_known_after_a_few_frames(association, frames, known):
    state = both_seen(association, frames)
    # The target is hidden, the other moved a little.
    moved = OTHER + (-5, 2, 0, 0)
    candidates, _ = follow(association, state, (moved, .95))
    assert candidates.known.tolist() == [known]
    assert candidates.chosen is known
    np.testing.assert_allclose(candidates.boxes, [moved])


def test_of_two_the_target_is_the_one_where_it_was(association):
    state = both_seen(association)
    candidates, _ = follow(
        association, state, (TARGET + (8, 0, 0, 0), .7),
        (OTHER + (4, 0, 0, 0), .95))
    known = dict(zip(candidates.boxes[:, 0], candidates.known))
    assert known == {108.: False, 154.: True}
    assert candidates.chosen


def test_a_target_that_jumps_is_no_distractor(association):
    state = both_seen(association)
    # Farther than a distractor may go, where none was.
    candidates, _ = follow(association, state, (TARGET - (25, 0, 0, 0), .9),
                           (OTHER, .8))
    assert not candidates.chosen


def test_after_a_while_the_best_is_taken_again(association):
    state = both_seen(association)
    for frame in range(association.max_missing + 1):
        candidates, state = follow(association, state, (OTHER, .9))
        assert state.missing == frame + 1
        assert candidates.chosen is (frame < association.max_missing)
    # The target's last place was kept.
    np.testing.assert_array_equal(state.target, TARGET)
    _, state = follow(association, state, (OTHER, .9), target=OTHER)
    assert state.missing == 0 and len(state.boxes) == 0


@pytest.mark.parametrize('distance, accepted', [(20., True), (35., False)])
def test_instead_of_a_distractor_only_what_is_near_is_accepted(
        association, distance, accepted):
    state = both_seen(association)
    hidden, _ = follow(association, state, (OTHER, .9))
    found = TARGET + (distance, 0, 0, 0)
    assert association.accepts(state, hidden, found, 1.) is accepted
    # Without one, everything.
    free, _ = follow(association, state, (TARGET, .9))
    assert association.accepts(state, free, found, 1.)


def test_states_are_not_changed(association):
    state = both_seen(association)
    before = DistractorState(*(np.copy(value) for value in state))
    follow(association, state, (OTHER, .9))
    for old, new in zip(before, state):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize('avoid_iou, left', [(.3, 1), (.1, 0)])
def test_what_overlaps_a_distractor_is_taken_for_it(avoid_iou, left):
    association = TASK_UTILS.build(
        dict(type='DistractorAssociation', avoid_iou=avoid_iou))
    state = both_seen(association)
    # Half of it overlaps, a third of the union.
    beside = OTHER + (0, 26, 0, 0)
    ranking = anchors((OTHER, .9), (beside, .3))
    excluded, _ = association.choose(state, ranking, 0, WINDOW)
    assert excluded[:3].all() and (~excluded[3:]).any() == left
