"""Seen, missing, lost, and found again."""
import numpy as np
import pytest
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import Outcome

BOX = np.array([10., 10, 5, 5])


def build(**kwargs):
    return TASK_UTILS.build(dict(type='TargetPresence', **kwargs))


def follow(part, scores):
    """Per frame, whether it is taken for the target, and whether lost."""
    state, seen = part.learn(BOX, []), []
    for score in scores:
        found = part.accepts(state, None, BOX, score)
        state = part.update(
            state, Outcome(BOX, BOX, score, found, False, (), None))
        seen.append((found, part.lost(state)))
    return seen


@pytest.mark.parametrize('recover_score, recovers', [(None, True),
                                                     (0.95, False)])
def test_what_is_lost_takes_a_better_score_to_come_back(
        recover_score, recovers):
    part = build(hold_score=0.3, recover_score=recover_score)
    # A frame or two are a hidden target, no more.
    seen = follow(part, [.9, .1, .1, .5])
    assert seen == [(True, False), (False, False), (False, False),
                    (True, False)]
    seen = follow(part, [.1, .1, .1, .9, .96, .5])
    assert seen[2] == (False, True)
    assert seen[3] == (recovers, not recovers)
    assert seen[4:] == [(True, False)] * 2


def test_a_little_less_for_a_while_will_do():
    part = build(hold_score=.3, recover_score=.95, confirm_frames=4)
    lost = [.1] * 3
    # Half way, .625, is enough if it is so four times in a row.
    seen = follow(part, lost + [.8] * 3 + [.5] + [.7] * 4 + [.4])
    assert [found for found, _ in seen] == [False] * 10 + [True] * 2
    assert not any(found for found, _ in follow(part, lost + [.6] * 20))
    # Frames before it was lost do not count.
    seen = follow(build(hold_score=.7, recover_score=.95, confirm_score=.6,
                        confirm_frames=4), [.65] * 7)
    assert [found for found, _ in seen] == [False] * 6 + [True]


def test_what_another_part_refuses_is_missing_too():
    part = build(lost_after=2)
    state = part.learn(BOX, [])
    for _ in range(2):
        assert not part.lost(state)
        state = part.update(
            state, Outcome(BOX, BOX, 1., False, False, (), None))
    assert part.lost(state)


def zooms(part, scores):
    """How far is searched before each frame, and behind the last one."""
    state = part.learn(BOX, [])
    found = [part.search_zoom(state)]
    for score in scores:
        taken = part.accepts(state, None, BOX, score)
        state = part.update(
            state, Outcome(BOX, BOX, score, taken, False, (), None))
        found.append(part.search_zoom(state))
    return found


def test_the_longer_it_is_lost_the_further_is_searched():
    part = build(recover_score=.9, max_zoom=3., zoom_frames=4)
    # Lost with the third frame; .5 is not enough to be found again.
    assert zooms(part, [.9, .1, .1, .1, .5, .1, .1, .1]) == [
        1, 1, 1, 1, 1.5, 2, 2.5, 3, 3]
    # Found, it is as ever; hidden for a moment, too.
    assert zooms(part, [.1] * 5 + [.95, .1, .1]) == [
        1, 1, 1, 1.5, 2, 2.5, 1, 1, 1]


def test_it_is_searched_as_far_as_ever_by_default():
    assert zooms(build(), [.1] * 20) == [1] * 21


@pytest.mark.parametrize('change', [dict(max_zoom=.5), dict(zoom_frames=0)])
def test_a_window_does_not_shrink(change):
    with pytest.raises(ValueError, match=f'{list(change)[0]} must be 1 or'):
        build(**change)


def test_scores_are_probabilities():
    with pytest.raises(ValueError, match='recover_score must be in 0..1'):
        build(recover_score=95)
