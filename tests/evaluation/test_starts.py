"""Which runs become of a sequence."""
import dataclasses

import numpy as np
import pytest
from fake_layouts import make_folder

from siamattn_mm.datasets.reading.sequence_folder import read_sequence
from siamattn_mm.evaluation.starts import part, starts_of

NAMES = ('first', 'third', 'two-thirds', 'backwards', 'every-second',
         'every-third', 'moved-down', 'moved-up')


def numbers(run):
    """Which frames of the sequence it has, counted from 0."""
    return [int(run.frame_path(i)[-12:-4]) - 1 for i in range(len(run))]


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return make_folder(str(tmp_path_factory.mktemp('video')), 36)


@pytest.fixture
def sequence(root):

    def _sequence(frames, absent=(), name='with_masks'):
        found = part(read_sequence(f'{root}/{name}'), range(frames))
        found.boxes[list(absent)] = np.nan
        return found

    return _sequence


def test_eight_of_a_long_one(sequence):
    whole = sequence(36)
    runs = dict(starts_of(whole))
    assert sorted(runs) == sorted(NAMES)
    expected = dict(
        first=range(36), third=range(12, 36), backwards=range(35, -1, -1))
    expected['two-thirds'] = range(24, 36)
    expected['every-second'] = range(0, 36, 2)
    expected['every-third'] = range(0, 36, 3)
    for name, order in expected.items():
        run = runs[name]
        assert numbers(run) == list(order)
        np.testing.assert_array_equal(run.boxes, whole.boxes[list(order)])
        assert run.mask_path(1) == whole.mask_path(order[1])
    for name, move in (('moved-down', 1), ('moved-up', -1)):
        run = runs[name]
        np.testing.assert_array_equal(run.boxes[1:], whole.boxes[1:])
        np.testing.assert_array_equal(run.boxes[0] - whole.boxes[0],
                                      [move, move, 0, 0])
    # The sequence itself is what it was.
    np.testing.assert_array_equal(runs['first'].boxes, whole.boxes)


def test_each_begins_where_the_target_is_seen(sequence):
    runs = dict(starts_of(sequence(36, absent=(0, 1, 12, 24, 35))))
    assert numbers(runs['first'])[0] == numbers(runs['every-third'])[0] == 2
    assert numbers(runs['third'])[0] == 13
    assert numbers(runs['two-thirds'])[0] == 25
    assert numbers(runs['backwards'])[0] == 34
    assert all(run.visible[0] for run in runs.values())


def test_what_is_too_short_is_left_out(sequence):
    runs = dict(starts_of(sequence(18)))
    # Twelve frames, and six, nine and six.
    assert 'third' in runs and set(NAMES) - set(runs) == {
        'two-thirds', 'every-second', 'every-third'
    }
    # Of a short sequence, what is as long as it.
    assert set(dict(starts_of(sequence(6)))) == {'first', 'backwards',
                                                 'moved-down', 'moved-up'}


def test_a_target_that_is_never_seen(sequence):
    assert starts_of(sequence(6, absent=range(6))) == []


def test_polygons_move_too(sequence):
    whole = sequence(12, name='boxes_only')
    corners = np.tile(whole.boxes[:, :2], 4)
    runs = dict(starts_of(dataclasses.replace(whole, polygons=corners)))
    np.testing.assert_array_equal(runs['moved-up'].polygons[0],
                                  corners[0] - 1)
    np.testing.assert_array_equal(runs['backwards'].polygons,
                                  corners[::-1][-len(runs['backwards']):])
