"""The bias of boxes: measured, averaged, taken away."""
import numpy as np
import pytest
from numpy.testing import assert_allclose

from siamattn_mm.models.task_modules.box_bias import (
    box_bias,
    corrected,
    mean_bias,
    views,
)

TRUTH = np.array([50., 60., 30., 20.])
FOUND = np.array([53., 58., 45., 16.])


def test_a_bias_is_relative_to_the_true_size():
    assert_allclose(
        box_bias(FOUND, TRUTH), [0.1, -0.1, np.log(1.5), np.log(0.8)])


def test_a_corrected_box_is_the_true_one():
    bias = mean_bias([box_bias(FOUND, TRUTH)], 1.)
    # It is the same for any place and size.
    found = np.stack([FOUND, FOUND * 2, FOUND / 3], axis=1)
    truth = np.stack([TRUTH, TRUTH * 2, TRUTH / 3], axis=1)
    assert_allclose(corrected(found, bias), truth)


@pytest.mark.parametrize('share', [0., 0.5, 1.])
def test_a_share_of_the_mean_without_what_cannot_be(share):
    biases = [
        np.array([0.1, 0., 0.2, 0.]),
        np.array([0.3, 0., 0., -0.2]),
        np.array([3., 0., 0., 0.]),  # it looked elsewhere
        np.array([0., 0., 0., -0.9])
    ]
    assert_allclose(mean_bias(biases, share), share * np.array(
        [0.2, 0., 0.1, -0.1]))


def test_no_bias_where_the_target_was_never_found():
    assert not mean_bias([np.full(4, 2.)], 1.).any()


def test_views_are_around_the_target():
    first, *others = views(TRUTH)
    assert_allclose(first, TRUTH)
    assert_allclose(np.mean(others, 0)[:2], TRUTH[:2])
    for box in others:
        assert (np.abs(box[:2] - TRUTH[:2]) < 0.5 * TRUTH[2:]).all()
        assert_allclose(box[2] / box[3], TRUTH[2] / TRUTH[3])
