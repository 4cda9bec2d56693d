"""Tests of TrackTable."""
import numpy as np
import pytest

from siamattn_mm.datasets.storage.numbered_paths import NumberedPaths
from siamattn_mm.datasets.storage.string_table import StringTable
from siamattn_mm.datasets.storage.track_table import TrackTable


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


def test_rows_of_images_out_of_order():
    table = TrackTable(StringTable('abc'), [2, 2], np.array([0, 2, 0, 1]),
                       np.ones((4, 4)))
    assert table.rows_of_image(0).tolist() == [0, 2]
    assert table.rows_of_image(1).tolist() == [3]


def test_small_and_absent_objects_are_left_out():
    bboxes = np.full((5, 4), 10.)
    bboxes[1, 3], bboxes[3:] = 2, np.nan
    table = make_table()
    table.bboxes[:] = bboxes
    kept = table.large_enough(4)
    assert len(kept) == 1 and kept.rows_of_track(0) == (0, 2)
    assert kept.image_ids.tolist() == [0, 2]
    assert kept.frame_ids.tolist() == [0, 11]
    assert table.large_enough(0).num_rows == 3
    assert make_table().large_enough(1).num_rows == 5


def test_saved_and_made_again():
    table = make_table()
    arrays = table.to_arrays()
    assert 'mask_ids' not in arrays
    again = TrackTable.from_arrays(arrays)
    for name in ('ends', 'image_ids', 'bboxes', 'frame_ids', 'mask_ids'):
        assert np.array_equal(getattr(again, name), getattr(table, name))
    assert again.images[3] == 'd'


def test_bytes_of_a_row_with_numbered_paths():
    rows = 10000
    table = TrackTable(
        NumberedPaths(['a/%08d.jpg'], [rows], np.arange(rows)), [rows],
        np.arange(rows), np.ones((rows, 4)), np.arange(rows))
    # Path, image, box and time.
    assert table.nbytes / rows == pytest.approx(4 + 4 + 16 + 4, abs=0.1)


def test_no_column_is_copied_to_search_in_it(monkeypatch):
    table = make_table()
    keys = []
    search = np.searchsorted
    monkeypatch.setattr(
        np, 'searchsorted',
        lambda a, v, **kw: keys.append((a, v)) or search(a, v, **kw))
    table.rows_of_image(2)
    assert all(np.result_type(a, v) == a.dtype for a, v in keys) and keys
