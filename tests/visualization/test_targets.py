"""Several targets in one picture."""
import numpy as np

from siamattn_mm.apis import Result
from siamattn_mm.visualization.overlay import draw_result
from siamattn_mm.visualization.targets import (
    COLORS,
    colors_of,
    draw_targets,
)

FRAME = np.full((120, 200, 3), 128, np.uint8)


def result(x):
    return Result(np.array([x, 40., 40., 30.]), .5, None, None)


def test_each_has_its_colour():
    drawn = draw_targets(FRAME, {1: result(20), 2: result(120)})
    for target, x in ((1, 20), (2, 120)):
        assert tuple(drawn[55, x]) == colors_of(target)[0]
    assert (FRAME == 128).all()
    assert len({box for box, _ in COLORS}) == len(COLORS)
    assert colors_of(len(COLORS) + 1) == colors_of(1)


def test_a_single_one_looks_as_ever():
    one = draw_targets(FRAME, {1: result(20)})
    assert (one == draw_result(FRAME, result(20))).all()


def test_none_is_a_copy():
    drawn = draw_targets(FRAME, {})
    assert drawn is not FRAME and (drawn == FRAME).all()
