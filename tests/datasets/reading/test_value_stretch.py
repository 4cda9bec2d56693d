"""Pixels of more than 8 bits become 8 bits."""
import numpy as np
import pytest

from siamattn_mm.datasets.reading.value_stretch import ValueStretch


def narrow(dtype=np.uint16, low=7000, high=8275):
    """A ramp of a few values, with a dead and a hot pixel."""
    image = np.linspace(low, high, 64 * 48).reshape(48, 64).astype(dtype)
    image[0, 0], image[5, 5] = 0, 30000
    return image


@pytest.mark.parametrize('dtype', [np.uint16, np.int32, np.float32])
def test_narrow_values_keep_their_contrast(dtype):
    image = narrow(dtype)
    stretched = ValueStretch()(image)
    assert stretched.dtype == np.uint8 and stretched.shape == image.shape
    assert len(np.unique(stretched)) > 200
    # Linear, and the two odd pixels decide nothing.
    inside = np.ones(image.shape, bool)
    inside[0, 0] = inside[5, 5] = False
    assert np.corrcoef(image[inside], stretched[inside])[0, 1] > .9999
    assert (stretched[0, 0], stretched[5, 5]) == (0, 255)


def test_the_first_image_decides_for_all():
    stretch = ValueStretch()
    stretch(narrow())
    low, high = stretch.value_range
    later = narrow(low=7500, high=8000)
    stretch(later)
    assert stretch.value_range == (low, high)
    expected = np.rint((later - low) / (high - low) * 255).clip(0, 255)
    assert np.array_equal(stretch(later), expected)
    # 10 % of room on both sides.
    assert low == pytest.approx(7000 - 127, abs=5)
    assert high == pytest.approx(8275 + 127, abs=5)


def test_an_image_of_one_value_decides_nothing():
    stretch = ValueStretch()
    assert (stretch(np.full((4, 5), 77 * 257, np.uint16)) == 77).all()
    assert (stretch(np.full((4, 5), 2.5, np.float32)) == 0).all()
    assert stretch.value_range is None
    assert len(np.unique(stretch(narrow()))) > 200


def test_noise_is_not_made_large():
    image = np.full((48, 64), 7000, np.uint16)
    image[:, ::2] += 3
    assert np.ptp(ValueStretch()(image)) == 3


def test_few_pixels_that_differ():
    image = np.full((100, 100), 7000, np.uint16)
    image[3, 3] = 9000
    stretched = ValueStretch()(image)
    assert stretched[3, 3] > 200 > 50 > stretched[9, 9]


def test_given_range():
    stretch = ValueStretch((100, 355))
    image = np.array([[0, 100, 101, 355, 65535]], np.uint16)
    assert stretch(image).tolist() == [[0, 0, 1, 255, 255]]
    image = np.array([[np.nan, -np.inf, np.inf, 101.4]], np.float32)
    assert stretch(image).tolist() == [[0, 0, 255, 1]]


def test_eight_bits_stay():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert ValueStretch((0, 3))(image) is image


@pytest.mark.parametrize('value_range', [(5, 5), (9, 3), (0, np.inf), (1, ),
                                         (1, 2, 3), 'ab', 7, (np.nan, 1)])
def test_what_is_no_range(value_range):
    with pytest.raises(ValueError, match='value_range must be two finite'):
        ValueStretch(value_range)
