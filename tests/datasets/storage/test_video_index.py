"""Tests of VideoIndex."""
import numpy as np

from siamattn_mm.datasets.storage.video_index import VideoIndex


def test_tracks_share_the_images_of_their_video():
    index = VideoIndex()
    index.add_video('a/%d.jpg', [3, 4])
    index.add_track([0, 1], np.ones((2, 4)), [3, 4])
    index.add_video('b/%d.jpg', [7, 8, 9])
    index.add_track([0, 2], np.full((2, 4), 2), [70, 90])
    index.add_track([2], np.full((1, 4), 3), [90])
    table = index.table()
    assert len(table) == 3 and table.num_rows == 5
    assert [table.images[i] for i in table.image_ids] == [
        'a/3.jpg', 'a/4.jpg', 'b/7.jpg', 'b/9.jpg', 'b/9.jpg']
    assert table.frame_ids.tolist() == [3, 4, 70, 90, 90]
    assert table.bboxes[:, 0].tolist() == [1, 1, 2, 2, 3]
    assert table.rows_of_image(4).tolist() == [3, 4]


def test_nothing_was_added():
    assert len(VideoIndex().table()) == 0
