"""Tests of SequenceFolderSource."""
import cv2
import numpy as np
import pytest

from siamattn_mm.datasets import SequenceFolderSource
from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError


def rngs(count):
    """Generators of several samples."""
    return [np.random.default_rng(i) for i in range(count)]


def colored(frame):
    """Where the picture shows the rectangle."""
    return (frame.img != 90).any(axis=2)


def test_tracks_and_rows(sequence_root):
    source = SequenceFolderSource(str(sequence_root))
    assert len(source) == 3
    assert source.table.num_rows == 12 + 2 + 5  # b has two absent frames
    assert source.pairs_per_epoch == 3
    assert SequenceFolderSource(
        str(sequence_root), pairs_per_epoch=70).pairs_per_epoch == 70


def test_boxes_and_masks_belong_to_their_frames(sequence_root):
    source = SequenceFolderSource(str(sequence_root))
    for row in range(source.table.num_rows):
        frame = source.read(row)
        x, y, w, h = frame.bbox.astype(int)
        expected = np.zeros(frame.img.shape[:2], bool)
        expected[y:y + h, x:x + w] = True
        assert np.array_equal(colored(frame), expected)
        if '/c/' in frame.img_path:
            assert frame.mask is None
        else:
            assert np.array_equal(frame.mask, expected)


def test_positive_pairs_show_one_track_within_the_range(sequence_root):
    source = SequenceFolderSource(str(sequence_root), sequences='a',
                                  frame_range=3)
    gaps = set()
    for rng in rngs(200):
        template, search = source.draw_positive(rng)
        gaps.add(int(search.bbox[0] - template.bbox[0]))
    assert gaps == {-3, -2, -1, 0, 1, 2, 3}


def test_the_range_counts_absent_frames(sequence_root):
    source = SequenceFolderSource(str(sequence_root), sequences='b',
                                  frame_range=1)
    for rng in rngs(20):
        template, search = source.draw_positive(rng)
        assert template.img_path == search.img_path


def test_negative_pairs_show_two_tracks(sequence_root):
    source = SequenceFolderSource(str(sequence_root))
    for rng in rngs(50):
        template, search = source.draw_negative(rng)
        assert template.img_path.split('/')[-3] != \
            search.img_path.split('/')[-3]


def test_no_negative_pairs_of_one_track(sequence_root):
    source = SequenceFolderSource(str(sequence_root), sequences='a')
    assert not source.has_negatives
    with pytest.raises(ValueError, match='only one object'):
        source.draw_negative(np.random.default_rng(0))


def test_min_size(sequence_root):
    source = SequenceFolderSource(str(sequence_root), min_size=17)
    assert source.table.num_rows == 2 + 5  # a is 16 high
    with pytest.raises(ValueError, match='too small: .* 20, but.* 100'):
        SequenceFolderSource(str(sequence_root), min_size=100)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        SequenceFolderSource(str(tmp_path / 'nowhere'))


def test_a_mask_of_another_size_is_unreadable(sequence_root):
    source = SequenceFolderSource(str(sequence_root))
    cv2.imwrite(str(sequence_root / 'a' / 'masks' / '00000002.png'),
                np.zeros((5, 5), np.uint8))
    source.read(0)
    with pytest.raises(UnreadableFrameError, match='00000002.png'):
        source.read(1)


@pytest.mark.parametrize('change', [
    dict(frame_range=-1),
    dict(pairs_per_epoch=-1),
])
def test_bad_arguments(sequence_root, change):
    with pytest.raises(ValueError, match=list(change)[0]):
        SequenceFolderSource(str(sequence_root), **change)
