"""A few frames side by side."""
import numpy as np
import pytest

from siamattn_mm.visualization import EvenPicks, Tile, make_strip


def picked(length, count):
    picks = EvenPicks(count, tile_width=6)
    for index in range(length):
        picks.add(np.full((2, 3, 3), index % 256, np.uint8), str(index))
    assert all(
        (tile.image == int(tile.caption) % 256).all() for tile in picks.tiles)
    return [int(tile.caption) for tile in picks.tiles]


@pytest.mark.parametrize('length, expected', [
    (1, [0]),
    (3, [0, 1, 2]),
    (8, list(range(8))),
    (15, [0, 2, 4, 6, 8, 10, 12, 14]),
    (50, [0, 7, 14, 21, 28, 35, 42, 49]),
])
def test_picks_of_short_videos_are_exact(length, expected):
    assert picked(length, 8) == expected


@pytest.mark.parametrize('length', [129, 1000, 4321])
def test_picks_of_long_videos_are_even(length):
    found = picked(length, 8)
    assert len(found) == 8
    assert found[0] == 0 and found[-1] == length - 1
    gaps = np.diff(found) / ((length - 1) / 7)
    assert (np.abs(gaps - 1) < 0.15).all()


def test_picks_do_not_grow_with_the_video():
    picks = EvenPicks(4)
    image = np.zeros((9, 16, 3), np.uint8)
    for index in range(3000):
        picks.add(image, str(index))
    assert len(picks._kept) <= 16 * 4 + 1


def test_tiles_keep_the_aspect():
    picks = EvenPicks(2)
    picks.add(np.zeros((270, 480, 3), np.uint8), '')
    assert picks.tiles[0].image.shape == (180, 320, 3)
    assert EvenPicks(2).tiles == []


@pytest.mark.parametrize('count, width', [(0, 320), (8, 0)])
def test_picks_of_nothing(count, width):
    with pytest.raises(ValueError, match='must be 1 or more'):
        EvenPicks(count, width)


@pytest.mark.parametrize('count, rows, columns', [(1, 1, 1), (4, 1, 4),
                                                  (5, 2, 4), (8, 2, 4)])
def test_strip_is_a_grid(count, rows, columns):
    colors = [(10 * i, 200 - 10 * i, 50) for i in range(count)]
    strip = make_strip([
        Tile(np.full((30, 60, 3), color, np.uint8), f'frame {i}')
        for i, color in enumerate(colors)
    ])
    assert strip.dtype == np.uint8
    for i, color in enumerate(colors):
        where = (strip == color).all(axis=2)
        y, x = np.nonzero(where)
        # Whole, and in its place.
        assert where.sum() == 30 * 60
        assert y.min() * rows // strip.shape[0] == i // columns
        assert x.min() * columns // strip.shape[1] == i % columns
        # Its caption is the dark writing above it.
        assert (strip[y.min() - 14:y.min() - 3, x.min():x.min() + 40] <
                130).any()
    # All in line.
    assert (strip[0] == 255).all() and (strip[:, 0] == 255).all()


@pytest.mark.parametrize('shapes', [[], [(3, 4, 3), (4, 3, 3)]])
def test_strip_of_nothing_or_of_several_sizes(shapes):
    tiles = [Tile(np.zeros(shape, np.uint8), '') for shape in shapes]
    with pytest.raises(ValueError, match='of one size'):
        make_strip(tiles)
