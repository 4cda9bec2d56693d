"""Pairs of crops."""
import cv2
import numpy as np
import pytest


@pytest.fixture
def crops():
    """Makes the pair of a seed: two crops of smooth noise, always the same.

    ``crops(3)`` gives a dict with ``rng``, of seed 3, and ``img``.
    """

    def make(seed=0):
        noise = np.random.default_rng(99)
        return dict(
            rng=np.random.default_rng(seed),
            img=[
                cv2.GaussianBlur(
                    noise.integers(0, 256, (s, s, 3), dtype=np.uint8), (0, 0),
                    2) for s in (127, 255)
            ])

    return make


@pytest.fixture
def changed(crops):
    """Says which of the two crops a transform changes.

    And sees that shape and type stay, and that the seed decides.
    """

    def which(transform, seed=0):
        before = crops(seed)['img']
        once, again = (
            transform.transform(crops(seed))['img'] for _ in range(2))
        for old, new, same in zip(before, once, again):
            assert new.shape == old.shape and new.dtype == np.uint8
            assert np.array_equal(new, same)
        return [not np.array_equal(a, b) for a, b in zip(before, once)]

    return which
