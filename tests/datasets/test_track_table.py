"""Tests of TrackTable."""
import numpy as np
import pytest

from siamattn_mm.datasets.string_table import StringTable
from siamattn_mm.datasets.track_table import TrackTable


def make_table():
    """Two tracks of 3 and 2 rows, which share image 2."""
    return TrackTable(
        images=StringTable(['a', 'b', 'c', 'd']),
        lengths=[3, 2],
        image_ids=np.array([0, 1, 2, 2, 3]),
        bboxes=np.ones((5, 4)),
        frame_ids=np.array([0, 10, 11, 0, 1]))


def test_rows_of_track():
    table = make_table()
    assert len(table) == 2 and table.num_rows == 5
    assert table.rows_of_track(0) == (0, 3)
    assert table.rows_of_track(1) == (3, 5)
    assert [table.track_of_row(i) for i in range(5)] == [0, 0, 0, 1, 1]


def test_rows_near_counts_frames_of_the_video():
    table = make_table()
    assert table.rows_near(0, 9) == (0, 1)
    assert table.rows_near(0, 10) == (0, 2)
    assert table.rows_near(2, 1) == (1, 3)
    assert table.rows_near(3, 100) == (3, 5)
    assert table.rows_near(4, 0) == (4, 5)


def test_rows_of_image():
    table = make_table()
    assert table.rows_of_image(2).tolist() == [2, 3]
    assert table.rows_of_image(0).tolist() == [0]


def test_columns_that_do_not_fit():
    with pytest.raises(ValueError, match='bboxes has 2 rows'):
        TrackTable(StringTable(['a']), [1], np.zeros(1), np.ones((2, 4)))


def test_bytes_of_a_row():
    rows = 10000
    table = TrackTable(
        StringTable(f'{i:08d}.jpg' for i in range(rows)), [rows],
        np.arange(rows), np.ones((rows, 4)))
    assert table.nbytes / rows < 56
