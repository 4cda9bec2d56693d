"""Tests of reading numbers."""
import time

import numpy as np
import pytest

from siamattn_mm.datasets.reading.text_numbers import (
    read_flags,
    read_lines,
    read_numbers,
)


@pytest.mark.parametrize('text', [
    '1,2,3,4\n5,6,7,8.5\n', '1\t2\t3\t4\n5 6 7  8.5', '\ufeff1, 2, 3, 4\n'
    '5,6,7,8.5\n\n'])
def test_separators(tmp_path, text):
    path = tmp_path / 'boxes.txt'
    path.write_text(text, encoding='utf-8')
    assert read_numbers(str(path), 4).tolist() == [[1, 2, 3, 4],
                                                   [5, 6, 7, 8.5]]


@pytest.mark.parametrize('line, reason', [
    ('1,5\t2,5\t3,5\t4,5', '8 numbers; .*decimal commas'),
    ('1,2,3', '3 numbers'), ('1_0,2,3,4', '"_"')])
def test_lines_that_are_no_box(tmp_path, line, reason):
    path = tmp_path / 'boxes.txt'
    path.write_text(f'1,2,3,4\n\n{line}\n')
    with pytest.raises(ValueError, match=f'boxes.txt.*{reason}'):
        read_numbers(str(path), 4)


def test_nan_and_an_empty_file(tmp_path):
    path = tmp_path / 'boxes.txt'
    path.write_text('nan,nan,nan,nan\n')
    assert np.isnan(read_numbers(str(path), 4)).all()
    path.write_text('')
    assert read_numbers(str(path), 4).shape == (0, 4)


def test_flags_on_one_line_and_on_many(tmp_path):
    path = tmp_path / 'flags.txt'
    for text in ('0,1,0', '0\n1\n0\n'):
        path.write_text(text)
        assert read_flags(str(path), 3).tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match='flags.*3 entries.*4 frames'):
        read_flags(str(path), 4)


def test_lists(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('a\n\n b \r\n')
    assert read_lines(str(path)) == ['a', 'b']
    with pytest.raises(FileNotFoundError, match='nowhere'):
        read_lines(str(tmp_path / 'nowhere'))


def test_a_hundred_thousand_boxes_take_no_time(tmp_path):
    path = tmp_path / 'boxes.txt'
    path.write_text('123.25,45.5,67.125,89.0\n' * 100000)
    start = time.process_time()
    assert read_numbers(str(path), 4).shape == (100000, 4)
    assert time.process_time() - start < 2
