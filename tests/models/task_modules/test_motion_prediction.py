"""Where the target is expected, and searched."""
import numpy as np
import pytest
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.task_modules import OnlinePart, Outcome

BOX = np.array([10., 20, 4, 9])  # cxcywh, of a size of 6


def build(**kwargs):
    return TASK_UTILS.build(dict(type='MotionPrediction', **kwargs))


def shifts(part, steps):
    """Before each frame and behind the last one; None is not found."""
    state, box = part.learn(BOX, []), BOX.copy()
    found = [part.search_shift(state).tolist()]
    for step in steps:
        box = box.copy()
        # What is not found is seen anywhere.
        box[:2] += (100, 100) if step is None else step
        state = part.update(
            state,
            Outcome(box, box, 1., step is not None, False, (), None))
        if step is None:
            box[:2] -= 100
        found.append(part.search_shift(state).tolist())
    return found


def test_half_of_the_last_movement_is_expected_again():
    assert shifts(build(), [(2, -4), (4, 0), (0, 0)]) == [
        [0, 0], [1, -2], [2, 0], [0, 0]]
    assert shifts(build(share=1.), [(2, -4)])[1] == [2, -4]
    assert shifts(build(share=0.), [(2, -4)])[1] == [0, 0]


def test_no_further_than_its_size():
    assert shifts(build(share=1.), [(8, -3), (-9, 70)])[1:] == [
        [6, -3], [-6, 6]]
    assert shifts(build(share=1., limit=.5), [(8, -3)])[1] == [3, -3]


def test_behind_a_frame_without_the_target_it_is_where_it_was():
    part = build()
    assert shifts(part, [(2, 0), None, (2, 0), (2, 0)]) == [
        [0, 0], [1, 0], [0, 0], [1, 0], [1, 0]]


@pytest.mark.parametrize('kwargs, said', [
    (dict(share=1.5), r'share must be in 0\.\.1, but got 1.5'),
    (dict(share=-.1), 'share must be'),
    (dict(limit=-1), 'limit must be 0 or more, but got -1'),
])
def test_bad_numbers_are_refused(kwargs, said):
    with pytest.raises(ValueError, match=said):
        build(**kwargs)


def test_a_part_expects_no_movement_unless_it_says_so():
    assert OnlinePart().search_shift(None).tolist() == [0, 0]
