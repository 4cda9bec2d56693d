"""Eight whole numbers with commas: corners, or four with decimal commas?"""
import re
from typing import Optional, Sequence, Tuple

import numpy as np

# Nothing but commas, and no sign where a fraction may be.
_BARE = re.compile(r'[+-]?\d+,\d+(,[+-]?\d+,\d+){3}')
# No corner is written as "05", but one in ten fractions is.
_ZERO_FIRST = re.compile(r',0\d')
# Corners of a turned rectangle, rounded to whole pixels.
_ROUNDING = 2
# Different lines, of which none is a fraction's for sure. Of decimals, each
# line would have come so far with a probability of 0.45.
_ENOUGH = 10

_QUESTION = (': are these 8 numbers, or 4 with decimal commas? Write decimal '
             'points or, if they are corners, a space behind each comma')


def decimal_commas(lines: Sequence[str]) -> Optional[Tuple[int, str]]:
    """Find what may be four numbers with decimal commas.

    ``"138,63,1,82,43,18,29,57"`` is a polygon or, from where decimals have
    commas, the box 138.63, 1.82, 43.18, 29.57. It is none of a polygon if its
    sides cross, or a y begins with a zero. The lines of a file are polygons
    if a sign, a decimal point or a space in one of them says so, if most of
    them are rectangles, turned or not, or if there are ten different ones
    with a y above 9, nothing against it and no line of four numbers among
    them.

    Args:
        lines (Sequence[str]): Of a file of ground truth.

    Returns:
        tuple[int, str] | None: A line, from 0, and what is wrong with it;
        None if each can be read in one way.
    """
    eights = [(number, line.strip()) for number, line in enumerate(lines)
              if len(re.split(r'\s*,\s*|\s+', line.strip())) == 8]
    bare = [(number, line) for number, line in eights
            if _BARE.fullmatch(line) and set(line) != {'0', ','}]
    if not bare:
        return None
    corners = np.array([line.split(',') for _, line in bare],
                       dtype=np.float64).reshape(-1, 4, 2)
    for (number, line), polygon in zip(bare, corners):
        if _sides_cross(polygon):
            return number, 'the sides of the polygon cross' + _QUESTION
        if _ZERO_FIRST.search(line):
            return number, 'a number begins with a zero' + _QUESTION
    if any(not _BARE.fullmatch(line) and 'nan' not in line.lower()
           for _, line in eights):
        return None
    twice_the_middles = corners[:, :2] + corners[:, 2:]
    slips = np.abs(twice_the_middles[:, 0] - twice_the_middles[:, 1])
    if np.mean(slips.max(axis=1) <= _ROUNDING) > 0.5:
        return None
    boxes = sum(_is_box(line) for line in lines)
    # Fractions of one digit never begin with a zero.
    if (boxes == 0 and len({line for _, line in bare}) >= _ENOUGH
            and corners[..., 1].max() > 9):
        return None
    return bare[0][0], 'this can be read in two ways' + _QUESTION


def _is_box(line: str) -> bool:
    words = re.split(r'\s*,\s*|\s+', line.strip())
    return len(words) == 4 and 'nan' not in line.lower() and any(
        float(word) for word in words)


def _sides_cross(corners: np.ndarray) -> bool:
    """Whether opposite sides of a quadrangle, (4, 2), cut each other."""

    def side(first: int, second: int, point: int) -> float:
        along = corners[second] - corners[first]
        to_point = corners[point] - corners[first]
        return float(along[0] * to_point[1] - along[1] * to_point[0])

    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for a, b, c, d in ((0, 1, 2, 3), (1, 2, 3, 0)))
