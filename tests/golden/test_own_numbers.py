"""Numbers of this project's own, for a checkout that has nothing beside it.

Inputs and weights are made by rule (``tests/rule_made.py``), outputs are in
``tests/golden/data``. ``tests/golden/make_data.py`` wrote them while the code
passed the checks against the reference's numbers, and writes none otherwise:

- ``network.npz``, each stage of the released network: descends from
  ``test_network.py``;
- ``operators.npz``, the deformable operators and their gradients: from
  ``test_golden_output`` and ``test_golden_gradient`` of
  ``tests/models/ops/test_deform_psroi_pool.py`` and
  ``test_deform_roi_pool.py``, and from the comparison with mmcv in
  ``test_deform_conv.py``;
- ``released_tracker.npz``, the released network as it tracks: from
  ``test_tracker.py``, whose arithmetic it runs with the network's outputs in
  place of scripted ones;
- ``shipped_tracker.npz``, the shipped small model with all that learns from
  the video, on which there is no reference: it pins what it did.
"""
import numpy as np
import pytest
import rule_made
from released_network import errors_of, run_stages
from rule_made_trackers import (
    BOXES_TOLERANCE,
    DATA,
    STEPS,
    released_tracker,
    shipped_tracker,
    track,
)

TOLERANCE = 1e-3
OPERATORS = sorted(rule_made.operator_cases())


def load(name):
    with np.load(DATA / f'{name}.npz') as stored:
        return dict(stored)


@pytest.fixture(scope='module')
def released():
    """The released network with weights by rule, in a tracker."""
    return released_tracker()


def test_every_stage_of_the_released_network(released):
    stored = dict(load('network'), **rule_made.crop_pair())
    worst = errors_of(run_stages(released.model, stored), stored, TOLERANCE)
    assert max(worst.values()) <= 1, worst


@pytest.mark.parametrize('name', OPERATORS)
def test_operators_and_their_gradients(name):
    stored = load('operators')
    found = rule_made.run_operator(rule_made.operator_cases()[name])
    for key, value in found.items():
        expected = stored[f'{name}_{key}']
        assert np.abs(value - expected).max() <= 1e-4, key
        assert expected.std() > .02, key


def check_run(found, stored):
    assert np.abs(found['bbox'] - stored['bbox']).max() <= BOXES_TOLERANCE
    assert np.abs(found['score'] - stored['score']).max() <= 1e-2
    # Corners of a rotated box move by more where its mask loses a pixel.
    distance = np.linalg.norm(
        found['polygon'][:, :, None] - stored['polygon'][:, None], axis=3)
    assert np.median(distance.min(axis=2)) <= 10 * BOXES_TOLERANCE
    masks = [np.unpackbits(run['mask'], axis=1) for run in (found, stored)]
    overlaps = ((masks[0] & masks[1]).sum(axis=1) /
                (masks[0] | masks[1]).sum(axis=1))
    assert overlaps.min() >= .99


def test_the_released_network_as_it_tracks(released):
    check_run(
        track(released, STEPS['released_tracker']), load('released_tracker'))


def test_the_shipped_tracker():
    check_run(
        track(shipped_tracker(), STEPS['shipped_tracker']),
        load('shipped_tracker'))
