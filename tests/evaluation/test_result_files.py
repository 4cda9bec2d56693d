"""Result files that are complete or not there."""
import os

import cv2
import numpy as np
import pytest

from siamattn_mm.evaluation.result_files import (
    write_atomically,
    write_mask,
    write_rows,
)


def test_rows(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'a.txt'
    write_rows(str(path), np.array([[1, 2.00006, -3, 1e5], [0, 0, 0, 0]]), 4)
    assert path.read_text() == ('1.0000,2.0001,-3.0000,100000.0000\n'
                                '0.0000,0.0000,0.0000,0.0000\n')
    write_rows(str(path), np.array([.5, np.nan]), 2)
    assert path.read_text() == '0.50\nnan\n'
    assert os.listdir(str(path.parent)) == ['a.txt']


def test_mask(tmp_path):
    mask = np.eye(5, 7, dtype=bool)
    write_mask(str(tmp_path / 'm.png'), mask)
    read = cv2.imread(str(tmp_path / 'm.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, mask * 255)


@pytest.mark.parametrize('function', ['os.replace', 'builtins.open'])
def test_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch, function):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    real_open = open

    class HalfWritten:

        def __init__(self, *args, **kwargs):
            self.file = real_open(*args, **kwargs)

        def __enter__(self):
            return self

        def write(self, data):
            self.file.write(data[:2])
            self.file.flush()
            raise KeyboardInterrupt

        def __exit__(self, *args):
            self.file.close()

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(function,
                        interrupt if function == 'os.replace' else HalfWritten)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(str(path), b'new content')
    monkeypatch.undo()
    assert path.read_text() == 'old'
    assert os.listdir(str(tmp_path)) == ['a.txt']
