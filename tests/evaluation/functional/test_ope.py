"""One-pass evaluation against hand-computed values and mmtrack's."""
import numpy as np
import pytest
from mmtrack.evaluation.functional import eval_sot_ope

from siamattn_mm.evaluation import (
    average_overlap,
    box_iou,
    center_error,
    evaluate_ope,
    normalised_center_error,
    precision_curve,
    success_curve,
    success_rate,
)
from siamattn_mm.evaluation.functional.ope import NORM_PRECISION_THRESHOLDS

NAN = np.full(4, np.nan)


def random_track(frames=200, seed=0):
    """Ground truth well inside the image, and a noisy prediction of it."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate(
        [rng.uniform(50, 400, (frames, 2)),
         rng.uniform(15, 120, (frames, 2))],
        axis=1)
    pred = truth + rng.normal(0, 15, truth.shape)
    pred[:, 2:] = np.maximum(pred[:, 2:], 5)
    return pred, truth


def mmtracks(pred, truth, visible=None):
    """Success, precision and norm_precision of mmtrack, as fractions."""

    def to_xyxy(boxes):
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)

    result = eval_sot_ope([list(to_xyxy(pred))], [to_xyxy(truth)],
                          None if visible is None else [visible])
    return [
        result[key] / 100 for key in ('success', 'precision', 'norm_precision')
    ]


def ours(pred, truth):
    """The same three of our own."""
    scores = evaluate_ope(pred, truth)
    return [
        scores[key] for key in ('success', 'precision', 'norm_precision_20')
    ]


def test_box_iou_by_hand():
    truth = np.array([[0, 0, 10, 10]] * 4 + [NAN, [0, 0, 10, 10], [5, 5, 0, 9]
                                             ])
    pred = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [20, 0, 10, 10],
                     [2, 2, -3, 4], [0, 0, 10, 10], NAN, [5, 5, 1, 1]])
    np.testing.assert_allclose(
        box_iou(pred, truth), [1, 1 / 3, 0, 0, np.nan, 0, np.nan])


def test_center_errors_by_hand():
    truth = np.array([[0, 0, 10, 20], [0, 0, 10, 20], NAN, [0, 0, 10, 20]])
    pred = np.array([[3, 4, 10, 20], [5, 10, 0, 0], [0, 0, 1, 1], NAN])
    np.testing.assert_allclose(
        center_error(pred, truth), [5, 0, np.nan, np.inf])
    np.testing.assert_allclose(
        normalised_center_error(pred, truth),
        [np.hypot(.3, .2), 0, np.nan, np.inf])


def test_success_is_above_and_precision_is_up_to_the_threshold():
    curve = success_curve(np.array([0, .5, 1, np.nan]))
    assert curve[[0, 9, 10, 20]].tolist() == [2 / 3, 2 / 3, 1 / 3, 0]
    curve = precision_curve(np.array([0, 20, 20.1, np.nan]))
    assert curve[[0, 19, 20, 21]].tolist() == [1 / 3, 1 / 3, 2 / 3, 1]
    curve = precision_curve(np.array([.2, .6]), NORM_PRECISION_THRESHOLDS)
    assert curve[[19, 20, 50]].tolist() == [0, .5, .5]


def test_got10k_figures_leave_the_first_frame_out():
    iou = np.array([1, .6, np.nan, .8, .5])
    assert average_overlap(iou) == pytest.approx(1.9 / 3)
    assert success_rate(iou, .5) == pytest.approx(2 / 3)
    assert success_rate(iou, .75) == pytest.approx(1 / 3)
    assert np.isnan(average_overlap(iou[:1]))
    assert np.isnan(success_rate(iou[:1], .5))


def test_perfect_and_lost_tracks():
    _, truth = random_track()
    perfect = evaluate_ope(truth, truth)
    # No IoU is above the last threshold, 1: this is OTB's definition.
    assert perfect.pop('success') == pytest.approx(20 / 21)
    assert list(perfect.values()) == pytest.approx([1] * 6)
    lost = evaluate_ope(truth + [1000, 0, 0, 0], truth)
    assert set(lost.values()) == {0.0}


def test_area_under_the_normalised_precision_curve():
    truth = np.array([[0., 0, 100, 100]])
    pred = truth + [25.5, 0, 0, 0]
    scores = evaluate_ope(pred, truth)
    # Within 25 of the 51 thresholds 0, 0.01, ..., 0.5.
    assert scores['norm_precision'] == pytest.approx(25 / 51)
    assert scores['norm_precision_20'] == 0


def test_equal_to_mmtrack_where_the_target_is_always_visible():
    for seed in range(5):
        pred, truth = random_track(seed=seed)
        np.testing.assert_allclose(
            ours(pred, truth), mmtracks(pred, truth), atol=1e-6)


def test_absent_frames_count_nowhere_unlike_in_mmtrack():
    pred, truth = random_track()
    expected = ours(pred, truth)
    visible = np.ones(len(truth) + 100, dtype=bool)
    visible[len(truth):] = False
    long_pred = np.concatenate([pred, np.ones((100, 4))])
    # What we get: the same figures as without these frames.
    absent = np.concatenate([truth, np.full((100, 4), np.nan)])
    np.testing.assert_allclose(ours(long_pred, absent), expected)
    # mmtrack leaves them out of the hits only: a third of 300 frames can
    # never be hit.
    absent = np.concatenate([truth, np.zeros((100, 4))])
    np.testing.assert_allclose(
        mmtracks(long_pred, absent, visible),
        np.array(expected) * 2 / 3,
        atol=1e-6)


def test_centre_left_of_the_image_counts_unlike_in_mmtrack():
    truth = np.array([[-40., 10, 50, 20]])
    assert ours(truth, truth)[1:] == [1, 1]
    # mmtrack gives such a frame an error of -1, which is below every
    # threshold: a hit, wherever the prediction is.
    lost = truth + [500, 0, 0, 0]
    assert mmtracks(lost, truth)[1:] == [1, 1]
    assert ours(lost, truth)[1:] == [0, 0]


def test_target_absent_throughout_is_unknown():
    scores = evaluate_ope(np.ones((3, 4)), np.full((3, 4), np.nan))
    assert all(np.isnan(value) for value in scores.values())


@pytest.mark.parametrize('shapes', [((3, 4), (2, 4)), ((3, 8), (3, 8)),
                                    ((4, ), (4, ))])
def test_wrong_shapes(shapes):
    with pytest.raises(ValueError, match=r'\(N, 4\)'):
        evaluate_ope(*map(np.ones, shapes))


def test_inputs_are_not_changed():
    truth = np.array([[0, 0, 10, 10], [1, np.nan, 2, 3]])
    before = truth.copy()
    box_iou(np.ones((2, 4)), truth)
    np.testing.assert_array_equal(truth, before)


def test_absent_frames_of_otbs_toolkit():
    pred, truth = random_track(40)
    absent = truth.copy()
    absent[[3, 7, 20]] = NAN
    absent[30, 0] = -2  # left of the image: OTB takes it as not annotated
    ours = evaluate_ope(pred, absent, absent_frames='otb')
    # As its calcSeqErrRobust.m: both errors are -1 in these frames.
    bad = [3, 7, 20, 30]
    iou, error = box_iou(pred, truth), center_error(pred, truth)
    iou[bad] = error[bad] = -1
    assert ours['success'] == pytest.approx(success_curve(iou).mean())
    assert ours['precision'] == pytest.approx(precision_curve(error)[20])
    # GOT-10k's figures do not change, the others do.
    skipped = evaluate_ope(pred, absent)
    assert ours['AO'] == skipped['AO']
    assert ours['success'] < skipped['success']
    visible = evaluate_ope(pred, truth)
    assert evaluate_ope(pred, truth, absent_frames='otb') == visible
    with pytest.raises(ValueError, match='ignore'):
        evaluate_ope(pred, truth, absent_frames='ignore')
