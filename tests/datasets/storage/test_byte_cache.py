"""Tests of ByteCache."""
import pickle

import pytest

from siamattn_mm.datasets.storage.byte_cache import ByteCache


def get(cache, key, made):
    """Ask for a key, and note that it had to be made."""
    return cache.get(key, lambda: made.append(key) or key * 2, len)


def test_makes_each_value_once():
    cache, made = ByteCache(100), []
    assert [get(cache, key, made) for key in 'aab'] == ['aa', 'aa', 'bb']
    assert made == ['a', 'b']


def test_drops_what_was_not_used_for_longest():
    cache, made = ByteCache(4), []
    for key in 'abacab':
        get(cache, key, made)
    assert made == ['a', 'b', 'c', 'b']


def test_keeps_nothing_larger_than_the_limit():
    cache, made = ByteCache(3), []
    for key in ['a', 'long', 'a', 'long']:
        get(cache, key, made)
    assert made == ['a', 'long', 'long']


def test_keeps_nothing_after_an_error():
    cache = ByteCache(100)
    with pytest.raises(ZeroDivisionError):
        cache.get('a', lambda: 1 // 0, len)
    assert cache.get('a', lambda: 'made', len) == 'made'


def test_is_pickled_empty():
    cache, made = ByteCache(100), []
    get(cache, 'a', made)
    copy = pickle.loads(pickle.dumps(cache))
    get(copy, 'a', made)
    assert copy.max_bytes == 100 and made == ['a', 'a']
