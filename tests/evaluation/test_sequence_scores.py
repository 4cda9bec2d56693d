"""The table of a data set's figures."""
import pickle

import numpy as np
import pytest

from siamattn_mm.evaluation.sequence_record import SequenceRecord
from siamattn_mm.evaluation.sequence_scores import (
    average_by_attribute,
    average_scores,
    format_attribute_table,
    format_table,
    score_sequence,
)

BOX = np.array([10., 20, 30, 40])


def record(name, length, absent=(), mask_iou=None, track_time=None):
    """A sequence whose target is found in every frame."""
    result = SequenceRecord(name, 0, length)
    result.num_masks = 0 if mask_iou is None else length
    for i in range(length):
        assert not result.complete
        result.add(
            BOX,
            BOX * np.nan if i in absent else BOX,
            score=.25 if i in absent else .75,
            mask_iou=mask_iou,
            track_time=track_time)
    assert result.complete
    return result


def table_of(records):
    """The printed table, and the mean that it ends with."""
    scores = [score_sequence(r) for r in records]
    mean = average_scores(records, scores)
    return format_table(records, scores, mean), mean


def test_one_row_a_sequence_then_the_mean():
    text, mean = table_of([
        record('alpha', 4, mask_iou=.5, track_time=.1),
        record('b', 3, track_time=.05)
    ])
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == [
        'sequence', 'frames', 'success', 'norm', 'P', 'P@20', 'AO', 'SR.50',
        'SR.75', 'J', 'fps'
    ]
    assert lines[2] == ['alpha', '4', '0.952'] + ['1.000'] * 5 + [
        '0.500', '10.0'
    ]
    assert lines[3][-2:] == ['-', '20.0']
    assert lines[4][:4] == ['mean', 'of', '2', '7']
    assert lines[4][-2:] == ['0.500', '12.5']
    assert mean['J'] == .5 and mean['fps'] == pytest.approx(12.5)
    assert len(lines) == 5


def test_columns_that_nothing_is_known_of_are_left_out():
    text, mean = table_of([record('a', 3)])
    assert text.splitlines()[0].split()[-1] == 'SR.75'
    assert 'J' not in mean and 'fps' not in mean


def test_absent_frames_have_a_line():
    text, mean = table_of([record('a', 9, absent=(3, 4)), record('b', 3)])
    assert text.splitlines()[-1] == (
        'a: median score 0.250 over 2 frames without the target, 0.750 over '
        'the other 6 (first left out)')
    assert mean['absent_score_median'] == .25
    assert mean['visible_score_median'] == .75


def test_single_frame_sequence_has_no_ao():
    text, mean = table_of([record('a', 1)])
    assert 'AO' not in mean and mean['success'] == pytest.approx(20 / 21)


def test_records_survive_the_way_from_another_process():
    original = record('a', 9, absent=(3, 4), mask_iou=.5, track_time=.1)
    # Protocol 2 is what mmtrack's collection of results uses.
    received = pickle.loads(pickle.dumps(original, protocol=2))
    assert score_sequence(received) == pytest.approx(
        score_sequence(original), nan_ok=True)
    assert (received.name, received.complete) == ('a', True)


def test_means_by_attribute():
    records = [record(name, 2) for name in 'abc']
    records[1].pred[:] += 500
    records[2].pred[:] += 500
    scores = [score_sequence(r) for r in records]
    table = average_by_attribute(records, scores,
                                 dict(a=['OCC', 'FM'], b=['FM'], x=['LR']))
    # c has none, and nobody who was tracked has LR.
    assert list(table) == ['FM', 'OCC']
    assert [table[name]['sequences'] for name in table] == [2, 1]
    assert table['FM']['success'] == pytest.approx(10 / 21)
    rows = [line.split() for line in format_attribute_table(table).split('\n')]
    assert rows[2:] == [['FM', '2', '0.476', '0.500', '0.500'],
                        ['OCC', '1', '0.952', '1.000', '1.000']]


def test_means_by_attribute_pool_frames_as_the_whole_mean():
    # Three frames with a hit, one without: by frames 3/4, by sequences 1/2.
    records = [record('a', 4), record('b', 2)]
    records[1].pred[:] += 500
    scores = [score_sequence(r) for r in records]
    both = dict(a=['FM'], b=['FM'])
    for ao, expected in (('sequences', .5), ('got10k', .75)):
        figures = average_by_attribute(records, scores, both, ao)['FM']
        assert figures['AO'] == pytest.approx(expected)
        assert figures.pop('sequences') == 2
        assert figures == average_scores(records, scores, ao)
