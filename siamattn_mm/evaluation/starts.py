"""Several starts in one sequence, each a sequence of its own.

One start a sequence says little: where a target is lost or kept by a detail,
another first frame gives another figure. So each sequence is tracked from its
first frame, from a third and two thirds of it, backwards, from boxes that are
a pixel off, and with every second and third frame alone.
"""
import dataclasses
from typing import Iterator, List, Sequence, Tuple

import numpy as np

from siamattn_mm.datasets.reading.tracking_sequence import TrackingSequence
from siamattn_mm.datasets.storage.string_table import StringTable

FIRST = 'first'
# By so many pixels the given box is off, x and y.
MOVES = dict(down=(1, 1), up=(-1, -1))
STEPS = dict(second=2, third=3)
KINDS = (FIRST, 'third', 'two-thirds', 'backwards',
         *(f'every-{name}' for name in STEPS),
         *(f'moved-{name}' for name in MOVES))
# What is shorter shows nothing.
MIN_FRAMES = 10


def starts_of(
        sequence: TrackingSequence) -> List[Tuple[str, TrackingSequence]]:
    """What becomes of a sequence.

    Args:
        sequence (TrackingSequence): N frames.

    Returns:
        list[tuple[str, TrackingSequence]]: The kind of start (``'first'``,
        ``'third'``, ``'two-thirds'``, ``'backwards'``, ``'moved-down'``,
        ``'moved-up'``, ``'every-second'``, ``'every-third'``), and the frames
        that are tracked from there, of which the target is visible in the
        first. Kinds with fewer than 10 frames are left out; so are all, if it
        is never visible.
    """
    runs = [(name, part(sequence, order)) for name, order in _orders(sequence)
            if len(order) >= min(MIN_FRAMES, len(sequence))]
    if runs:
        first = runs[0][1]
        runs += [(f'moved-{name}', _moved(first, move))
                 for name, move in MOVES.items()]
    return runs


def part(sequence: TrackingSequence,
         order: Sequence[int]) -> TrackingSequence:
    """Some frames of a sequence, in any order.

    Args:
        sequence (TrackingSequence): N frames.
        order (Sequence[int]): Their numbers, from 0.

    Returns:
        TrackingSequence: With these frames alone.
    """
    order = np.asarray(order, int)
    masks, polygons = sequence.mask_names, sequence.polygons
    return dataclasses.replace(
        sequence,
        frame_names=StringTable(sequence.frame_names[i] for i in order),
        boxes=sequence.boxes[order],
        polygons=None if polygons is None else polygons[order],
        mask_names=None if masks is None else StringTable(
            masks[i] for i in order))


def _orders(
        sequence: TrackingSequence) -> Iterator[Tuple[str, np.ndarray]]:
    visible = np.flatnonzero(sequence.visible)
    if not len(visible):
        return
    number = len(sequence)
    for name, share in ((FIRST, 0), ('third', 1 / 3), ('two-thirds', 2 / 3)):
        later = visible[visible >= share * number]
        if len(later):
            yield name, np.arange(later[0], number)
    yield 'backwards', np.arange(visible[-1], -1, -1)
    for name, step in STEPS.items():
        yield f'every-{name}', np.arange(visible[0], number, step)


def _moved(sequence: TrackingSequence,
           move: Tuple[float, float]) -> TrackingSequence:
    """The same, with another box in the first frame."""
    boxes = sequence.boxes.copy()
    boxes[0, :2] += move
    polygons = sequence.polygons
    if polygons is not None:
        polygons = polygons.copy()
        polygons[0] += np.tile(move, 4)
    return dataclasses.replace(sequence, boxes=boxes, polygons=polygons)
