"""Figures of runs, means and standard errors, by hand."""
import numpy as np
import pytest

from siamattn_mm.evaluation.start_scores import (
    difference,
    estimate,
    first_starts,
    lost_frames,
    score_run,
)


def rows(**values):
    """``sequence=[figure of each start]``."""
    return [
        dict(sequence=name, start=('first', 'third')[index], success=value)
        for name, figures in values.items()
        for index, value in enumerate(figures)
    ]


def test_a_run_that_loses_the_target():
    truth = np.tile([10., 10., 20., 20.], (5, 1))
    truth[3] = np.nan
    boxes = truth.copy()
    boxes[2] = boxes[4] = [100., 100., 20., 20.]
    boxes[3] = 0
    scores = score_run(boxes, truth, [1, .5, .3, np.nan, 0])
    # Of four frames with a target two are right, the given one included; of
    # 21 thresholds the last, 1, is passed by none.
    assert scores['success'] == pytest.approx(20 / 21 * 2 / 4)
    # Behind the first.
    assert scores['kept'] == pytest.approx(1 / 3)
    # As DAVIS has it: without the first and the last frame.
    assert scores['j'] == pytest.approx(.4)


def test_without_masks_and_behind_the_first():
    scores = score_run(np.ones((1, 4)), np.ones((1, 4)))
    assert 'j' not in scores and np.isnan(scores['kept'])


def test_a_mean_over_sequences_of_means_over_starts():
    found = estimate(rows(a=[.2, .4], b=[.7], c=[.5, .5]), 'success')
    means = np.array([.3, .7, .5])
    assert found.mean == pytest.approx(.5)
    assert found.error == pytest.approx(means.std(ddof=1) / np.sqrt(3))
    assert found.sequences == 3
    assert str(found) == '0.500 ± 0.115'


def test_what_has_no_figure_does_not_count():
    found = estimate(rows(a=[.2, np.nan], b=[np.nan]), 'success')
    assert (found.mean, found.sequences) == (pytest.approx(.2), 1)
    assert np.isnan(found.error)
    nothing = estimate(rows(a=[.2]), 'j')
    assert nothing.sequences == 0 and np.isnan(nothing.mean)


def test_the_same_runs_are_compared():
    before = rows(a=[.2, .4], b=[.7, .9], c=[.1])
    after = rows(a=[.3, .5], b=[.8], d=[.9])
    found = difference(after, before, 'success')
    # Hard and easy sequences, and what one of the two lacks, say nothing.
    assert found.mean == pytest.approx(.1)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert found.sequences == 2


def test_first_starts():
    assert [row['success'] for row in first_starts(rows(a=[.2, .4], b=[.7]))
            ] == [.2, .7]


def test_lost_frames_are_counted_over_all_runs():
    there, gone = [10., 10., 20., 20.], [np.nan] * 4
    boxes = np.array([there] * 4)
    first = score_run(
        boxes, np.array([there, gone, gone, there]),
        lost=[False, True, False, False])
    second = score_run(
        boxes, np.array([there, there, gone, there]),
        lost=[False, True, True, False])
    unasked = score_run(boxes, np.array([there] * 4))
    assert 'absent' not in unasked
    counts = lost_frames([first, second, unasked])
    assert counts == (3, 3, 2, 3, 2)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(2 / 3)
    assert np.isnan(lost_frames([unasked]).precision)


def test_lost_is_right_where_the_box_is_elsewhere():
    there, elsewhere, gone = [10.] * 4, [50., 50, 10, 10], [np.nan] * 4
    counts = lost_frames([
        score_run(
            np.array([there, elsewhere, elsewhere, there, there]),
            np.array([there, there, there, gone, there]),
            lost=[False, True, False, False, True])
    ])
    assert (counts.off, counts.said, counts.said_off) == (3, 2, 1)
    assert counts.off_precision == pytest.approx(1 / 2)
    assert counts.off_recall == pytest.approx(1 / 3)
