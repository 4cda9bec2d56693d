"""Tests of NumberedPaths."""
import numpy as np
import pytest

from siamattn_mm.datasets.storage.numbered_paths import NumberedPaths, escape


def test_paths_of_two_videos():
    paths = NumberedPaths(['a/%08d.jpg', escape('5%d') + '/%d.png'], [2, 1],
                          np.array([1, 30, 7]))
    assert len(paths) == 3
    assert [paths[i] for i in range(3)] == [
        'a/00000001.jpg', 'a/00000030.jpg', '5%d/7.png']


def test_saved_and_made_again():
    paths = NumberedPaths(['a%d', 'ü%d'], [1, 2], np.array([1, 2, 3]))
    again = NumberedPaths.from_arrays(paths.to_arrays())
    assert [again[i] for i in range(3)] == ['a1', 'ü2', 'ü3']


def test_four_bytes_a_path():
    paths = NumberedPaths(['a/%08d.jpg'], [100000], np.arange(100000))
    assert paths.nbytes < 4 * 100000 + 100


@pytest.mark.parametrize('templates, lengths', [
    (['a%d'], [1, 1]), (['a%d'], [1]), (['a%d', 'b%d'], [2])])
def test_numbers_that_do_not_fit(templates, lengths):
    with pytest.raises(ValueError, match='2 numbers'):
        NumberedPaths(templates, lengths, np.array([1, 2]))
