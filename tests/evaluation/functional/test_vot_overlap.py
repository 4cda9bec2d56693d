"""The overlap of VOT's regions, by hand and against vot-toolkit."""
import numpy as np
import pytest

from siamattn_mm.evaluation.functional.vot_overlap import (
    region_overlap,
    region_overlaps,
)

SQUARE = (2, 3, 4, 4)


def test_rectangles_cover_whole_pixels():
    assert region_overlap(SQUARE, SQUARE) == 1
    # 4 x 4 pixels each, 2 x 4 in common.
    assert region_overlap(SQUARE, (4, 3, 4, 4)) == 8 / 24
    assert region_overlap(SQUARE, (6, 3, 4, 4)) == 0
    assert region_overlap((2.4, 2.6, 4.4, 3.6), SQUARE) == 1


def test_polygons_include_their_outline():
    corners = (2, 3, 6, 3, 6, 7, 2, 7)
    assert region_overlap(corners, (2, 3, 5, 5)) == 1
    diamond = (2, 0, 4, 2, 2, 4, 0, 2)
    assert region_overlap(diamond, (0, 0, 5, 5)) == 13 / 25
    triangle = (0, 0, 4, 0, 0, 4)
    assert region_overlap(triangle, (0, 0, 5, 5)) == 15 / 25


def test_only_pixels_in_the_image_count():
    inside, outside = (5, 0, 5, 10), (0, 0, 20, 10)
    assert region_overlap(inside, outside) == 50 / 200
    assert region_overlap(inside, outside, (10, 10)) == 50 / 100
    assert region_overlap((-9, 0, 12, 10), (-1, 0, 4, 10), (10, 10)) == 1
    assert region_overlap((20, 0, 5, 5), (30, 0, 5, 5), (10, 10)) == 0


def test_no_region_overlaps_with_nothing():
    assert region_overlap(np.full(4, np.nan), SQUARE) == 0
    assert region_overlap(np.full(8, np.nan), SQUARE) == 0


@pytest.mark.parametrize('region', [(1, 2, 3), (1, 2, 3, 4, 5),
                                    (1, 2, 3, 4, 5, 6, 7)])
def test_what_is_no_region(region):
    with pytest.raises(ValueError, match=f'but got {len(region)} numbers'):
        region_overlap(region, SQUARE)


def test_trajectories_of_different_lengths():
    with pytest.raises(ValueError, match='2 regions cannot be compared'):
        region_overlaps([SQUARE] * 2, [SQUARE])


def random_regions(count):
    """Pairs of rectangles and quadrangles, rotated ones and any."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(count):
        pair = []
        centre = rng.uniform(-10, 70, 2)
        for _ in range(2):
            size = rng.uniform(0.5, 40, 2)
            middle = centre + rng.normal(0, 8, 2)
            corners = size / 2 * [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            angle = rng.uniform(0, np.pi)
            turn = np.array([[np.cos(angle), -np.sin(angle)],
                             [np.sin(angle), np.cos(angle)]])
            kind = rng.integers(4)
            if kind == 0:
                pair.append(np.concatenate([middle - size / 2, size]))
            elif kind == 1:
                pair.append(rng.uniform(-10, 70, 2 * rng.integers(3, 8)))
            else:
                pair.append((corners @ turn + middle).ravel())
        # Halves are where rounding matters.
        pairs.append([np.round(region * 2) / 2 if rng.random() < .5 else
                      region for region in pair])
    return pairs


def moved(region, distance):
    """The region, further right and further down."""
    where = np.arange(region.size) < 2 if region.size == 4 else True
    return region + np.where(where, distance, 0)


@pytest.mark.parametrize('size', [None, (64, 48)])
def test_against_the_toolkit(size, capsys):
    shapes = pytest.importorskip(
        'vot.region', reason='vot-toolkit is not installed')

    def shape(region):
        region = [float(number) for number in region]
        if len(region) == 4:
            return shapes.Rectangle(*region)
        return shapes.Polygon(list(zip(region[::2], region[1::2])))

    pairs = random_regions(600)
    if size is None:
        # Without an image, the toolkit draws rectangles with negative
        # coordinates too small.
        pairs = [[moved(region, 100) for region in pair] for pair in pairs]
    ours = region_overlaps(*zip(*pairs), size)
    theirs = np.array([
        shapes.calculate_overlap(shape(one), shape(two), size)
        for one, two in pairs
    ])
    assert 100 < np.count_nonzero(theirs) < 500
    difference = np.abs(ours - theirs).max()
    with capsys.disabled():
        print(f'\nregion overlap, vot-toolkit, {size}: largest difference '
              f'{difference:.1e} over {len(pairs)} pairs')
    assert difference < 1e-6, f'largest difference {difference}'
