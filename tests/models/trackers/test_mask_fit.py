"""How far a mask's box is to be trusted, from the first frame."""
import numpy as np
import pytest

from siamattn_mm.models.trackers.mask_fit import MaskFit, overlap

GIVEN = np.array([20., 30, 40, 20])


def around(left=0., top=0., right=0., bottom=0.):
    """The given box with its edges moved, in sizes of it."""
    w, h = GIVEN[2:]
    return np.array([
        GIVEN[0] + left * w, GIVEN[1] + top * h, w * (1 + right - left),
        h * (1 + bottom - top)
    ])


def test_the_first_frame_is_corrected_to_the_given_box():
    seen = around(.1, -.2, .05, -.15)
    fit = MaskFit.of(GIVEN, seen)
    np.testing.assert_allclose(fit.offsets, (.1, -.2, .05, -.15))
    np.testing.assert_allclose(fit.corrected(seen, 1.), GIVEN)
    np.testing.assert_array_equal(fit.corrected(seen, 0.), seen)


def test_offsets_grow_with_the_target():
    fit = MaskFit.of(GIVEN, around(right=-.2))
    larger = np.array([100., 100, 80, 50])  # of a target 100 wide
    np.testing.assert_allclose(fit.corrected(larger, 1.), (100, 100, 100, 50))
    # Half of the offset: the mask is nine tenths of the target.
    np.testing.assert_allclose(
        fit.corrected(larger, .5), (100, 100, 80 / .9, 50))


def test_what_is_far_off_is_not_the_targets():
    fit = MaskFit.of(GIVEN, np.array([500., 30, 40, 20]))
    assert fit.overlap == 0 and fit.offsets == (.3, 0, .3, 0)
    fit = MaskFit.of(GIVEN, around(.9, 0, -.05, 0))
    assert fit.offsets == pytest.approx((.3, 0, -.05, 0))
    # Whatever the offsets are, a box remains.
    assert (fit.corrected(GIVEN, 1.)[2:] > 0).all()


@pytest.mark.parametrize('width, trust', [(1., 1.), (.9, 1.), (.75, .5),
                                          (.6, 0.), (.2, 0.)])
def test_trust_rises_with_the_overlap(width, trust):
    fit = MaskFit.of(GIVEN, GIVEN * (1, 1, width, 1))
    assert fit.overlap == pytest.approx(width)
    assert fit.trust(.6, .9) == pytest.approx(trust)


def test_no_mask_is_not_trusted():
    fit = MaskFit.of(GIVEN, None)
    assert fit.trust(.6, .9) == 0
    np.testing.assert_array_equal(fit.corrected(GIVEN, 1.), GIVEN)


def test_overlap():
    assert overlap(GIVEN, GIVEN) == pytest.approx(1)
    assert overlap(GIVEN, GIVEN + (0, 0, 40, 0)) == pytest.approx(.5)
    assert overlap(GIVEN, GIVEN + (41, 0, 0, 0)) == 0
