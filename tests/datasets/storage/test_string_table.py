"""Tests of StringTable."""
import pickle

import pytest

from siamattn_mm.datasets.storage.string_table import StringTable


def test_returns_what_was_put_in():
    strings = ['', 'a/0001.jpg', 'ü', '', 'last']
    table = StringTable(strings)
    assert len(table) == 5
    assert [table[i] for i in range(5)] == strings


def test_keeps_bytes():
    table = StringTable([b'\x00\xff', b''])
    assert table.bytes(0) == b'\x00\xff'
    assert table.bytes(1) == b''


def test_empty():
    assert len(StringTable()) == 0


def test_beyond_the_end():
    with pytest.raises(IndexError):
        StringTable(['a'])[1]


def test_no_object_for_each_string():
    table = StringTable(f'{i:08d}.jpg' for i in range(10000))
    assert table.nbytes == 10000 * (12 + 8)
    assert len(pickle.dumps(table)) < table.nbytes + 1000
