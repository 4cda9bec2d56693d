"""Region similarity J of masks."""
import numpy as np
import pytest

from siamattn_mm.evaluation import mean_region_similarity, region_similarity


def mask(*columns):
    """(4, 6) mask with these columns set."""
    result = np.zeros((4, 6), dtype=bool)
    result[:, columns] = True
    return result


def test_one_frame():
    assert region_similarity(mask(0, 1), mask(0, 1)) == 1
    assert region_similarity(mask(0, 1, 2), mask(1, 2, 3)) == .5
    assert region_similarity(mask(0), mask(1)) == 0
    assert region_similarity(mask(), mask(1)) == 0
    assert region_similarity(mask(), mask()) == 1
    assert region_similarity(mask(1).astype(int) * 255, mask(1)) == 1


def test_different_sizes():
    with pytest.raises(ValueError, match=r'\(4, 6\).*\(6, 4\)'):
        region_similarity(mask(), mask().T)


def test_mean_of_a_sequence():
    values = [1, .5, np.nan, .7, 0]
    assert mean_region_similarity(values) == pytest.approx(.6)
    assert mean_region_similarity(values, exclude_first=False) == \
        pytest.approx(2.2 / 3)
    assert mean_region_similarity(values, exclude_last=False) == \
        pytest.approx(.4)
    assert mean_region_similarity(values, False, False) == \
        pytest.approx(2.2 / 4)


@pytest.mark.parametrize('values', [[], [1], [1, 0], [1, np.nan, 0]])
def test_nothing_to_count(values):
    assert np.isnan(mean_region_similarity(values))
