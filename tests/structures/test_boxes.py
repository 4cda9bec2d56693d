"""Overlaps of boxes, and anchors."""
import numpy as np
from anchor_generator import build_anchor_generator

from siamattn_mm.structures.boxes import AnchorGrid, overlaps

ANCHORS = [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]


def test_overlaps_are_iou():
    boxes = np.array([[0., 0, 4, 2], [2, 0, 4, 2], [9, 9, 1, 1]])
    others = np.array([[0., 0, 4, 2], [9, 9, 2, 2]])
    np.testing.assert_allclose(
        overlaps(boxes, others), [[1, 0], [1 / 3, 0], [0, 1 / 4]])
    # A box without a size is nowhere.
    assert not overlaps(boxes, np.zeros((1, 4))).any()
    assert overlaps(boxes[:0], others).shape == (0, 2)


def test_anchors_lie_around_the_middle():
    grid = AnchorGrid.of(build_anchor_generator(), 7, 5)
    assert grid.boxes.shape == (5 * 7 * 5, 4)
    for a, size in enumerate(ANCHORS):
        # Cell (3, 2) of 7 rows and 5 columns.
        np.testing.assert_array_equal(
            grid.boxes[(a * 7 + 3) * 5 + 2], [0, 0, *size])
    np.testing.assert_array_equal(grid.boxes[0, :2], [-16, -24])
    assert grid.window[3 * 5 + 2] == 1 and grid.window[0] == 0
