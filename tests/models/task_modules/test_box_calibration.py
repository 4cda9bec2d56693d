"""The bias of boxes: measured, averaged, taken away."""
import numpy as np
import pytest
from mmtrack.registry import TASK_UTILS
from numpy.testing import assert_allclose

from siamattn_mm.models.task_modules import View
from siamattn_mm.models.task_modules.box_calibration import box_bias

TRUTH = np.array([50., 60., 30., 20.])
FOUND = np.array([53., 58., 45., 16.])


def build(**kwargs):
    return TASK_UTILS.build(dict(type='BoxCalibration', **kwargs))


def biased(bias):
    """A view in which so much is wrong."""
    found = np.append(TRUTH[:2] + bias[:2] * TRUTH[2:],
                      TRUTH[2:] * np.exp(bias[2:]))
    return View(found, TRUTH, ())


def test_a_bias_is_relative_to_the_true_size():
    assert_allclose(
        box_bias(FOUND, TRUTH), [0.1, -0.1, np.log(1.5), np.log(0.8)])


def test_a_corrected_box_is_the_true_one():
    part = build(share=1.)
    bias = part.learn(TRUTH, [View(FOUND, TRUTH, ())])
    # It is the same for any place and size.
    found = np.stack([FOUND, FOUND * 2, FOUND / 3])
    truth = np.stack([TRUTH, TRUTH * 2, TRUTH / 3])
    assert_allclose(part.calibrate(bias, found), truth)


@pytest.mark.parametrize('share', [0., 0.5, 1.])
def test_a_share_of_the_mean_without_what_cannot_be(share):
    views = [
        biased(np.array(bias)) for bias in ([0.1, 0., 0.2, 0.],
                                            [0.3, 0., 0., -0.2],
                                            # It looked elsewhere.
                                            [3., 0., 0., 0.],
                                            [0., 0., 0., -0.9])
    ]
    assert_allclose(
        build(share=share).learn(TRUTH, views),
        share * np.array([0.2, 0., 0.1, -0.1]), atol=1e-12)


def test_no_bias_where_the_target_was_never_found():
    assert not build().learn(TRUTH, [biased(np.full(4, 2.))]).any()


def test_a_share_is_a_share():
    with pytest.raises(ValueError, match='share must be in 0..1, but got 1.5'):
        build(share=1.5)
