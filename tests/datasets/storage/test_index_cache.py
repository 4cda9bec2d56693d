"""Tests of the file that keeps an index."""
import os

import numpy as np
import pytest

from siamattn_mm.datasets.storage import index_cache
from siamattn_mm.datasets.storage.index_cache import cached_index, fingerprint


def make():
    """An index."""
    return dict(a=np.arange(3), b=np.zeros((2, 4)))


def never():
    """What must not be called."""
    raise AssertionError('made again')


def test_made_once(tmp_path):
    path = str(tmp_path / 'folder' / 'index.npz')
    cached_index(path, 'key', make)
    found = cached_index(path, 'key', never)
    assert set(found) == {'a', 'b'} and found['a'].tolist() == [0, 1, 2]
    assert os.listdir(tmp_path / 'folder') == ['index.npz']


@pytest.mark.parametrize('content', [b'', b'PK', b'no index'])
def test_made_again_for_another_key_or_a_broken_file(tmp_path, content):
    path = tmp_path / 'index.npz'
    cached_index(str(path), 'key', make)
    with pytest.raises(AssertionError, match='made again'):
        cached_index(str(path), 'other', never)
    path.write_bytes(content)
    cached_index(str(path), 'key', make)
    cached_index(str(path), 'key', never)


def test_without_a_file(tmp_path):
    assert set(cached_index(None, 'key', make)) == {'a', 'b'}
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    reports = []
    monkeypatch.setattr(index_cache, 'print_log',
                        lambda message, **_: reports.append(message))
    found = cached_index(str(tmp_path / 'file' / 'index.npz'), 'key', make)
    assert set(found) == {'a', 'b'}
    assert len(reports) == 1 and 'not kept' in reports[0]


def test_fingerprint(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('1')
    first = fingerprint([str(path), str(tmp_path)], 3)
    assert fingerprint([str(path), str(tmp_path)], 3) == first
    assert fingerprint([str(path), str(tmp_path)], 4) != first
    path.write_text('12')
    changed = fingerprint([str(path)], 3)
    assert changed != fingerprint([], 3)
    os.utime(path, ns=(0, 0))
    assert fingerprint([str(path)], 3) != changed
    folder = fingerprint([str(tmp_path)])
    os.utime(tmp_path, ns=(0, 0))
    assert fingerprint([str(tmp_path)]) != folder
