"""Counts of nested stages, and hooks that leave nothing behind."""
import pytest
import torch
from mmtrack.registry import MODELS

from siamattn_mm.apis import Tracker
from siamattn_mm.benchmark import clocks
from siamattn_mm.benchmark.patches import Patches
from siamattn_mm.benchmark.stages import (
    REST,
    STAGES,
    StageRecorder,
    track_by_stages,
)
from siamattn_mm.benchmark.synthetic_video import synthetic_video
from siamattn_mm.utils.stages import observed


class Clock:
    """Goes on by hand."""

    def __init__(self):
        self.now = 100.

    def __call__(self):
        return self.now

    def run(self, seconds, inner=None):
        self.now += seconds
        if inner is not None:
            inner()
        self.now += seconds


def test_a_stage_inside_another_counts_once():
    clock = Clock()
    recorder = StageRecorder(clocks.Clock(clock))
    recorder.call(
        'outer', clock.run, 1,
        lambda: recorder.call('inner', clock.run, 10))
    clock.run(1000)  # between stages
    recorder.call('inner', clock.run, 5)
    assert recorder.take() == dict(outer=2, inner=30)
    assert recorder.take() == {}


def test_an_error_ends_its_stage():
    clock = Clock()
    recorder = StageRecorder(clocks.Clock(clock))

    def fail():
        clock.run(1)
        raise KeyError

    def outer():
        with pytest.raises(KeyError):
            recorder.call('inner', fail)
        clock.run(3)

    recorder.call('outer', outer)
    assert recorder.take() == dict(inner=2, outer=6)


def test_patches_put_back_what_was_there():

    class Base:
        name = 'class'

    changed, untouched = Base(), Base()
    changed.name = 'own'
    patches = Patches()
    for owner in (changed, untouched, Base):
        patches.replace(owner, 'name', 'new')
        patches.replace(owner, 'name', 'newer')
        assert owner.name == 'newer'
    patches.restore()
    assert (changed.name, untouched.name, Base.name) == ('own', 'class',
                                                         'class')
    assert 'name' not in vars(untouched)


@pytest.fixture
def tracker(small_config):
    small_config.model.online = [
        dict(type='CorrelationFilter'),
        dict(type='RidgeBoxRegressor')
    ]
    return Tracker(MODELS.build(small_config.model))


def test_all_stages_of_a_frame(tracker):
    frames, bbox = synthetic_video(64, 48, 3)
    tracker.init(frames[0], bbox)
    found = list(track_by_stages(tracker, frames[1:], StageRecorder()))
    assert len(found) == 2
    for seconds in found:
        # All of them; the model has everything, but is no exported one.
        assert set(seconds) == set(STAGES) - {'network'}
        assert all(value > 0 for value in seconds.values())
        assert seconds['backbone'] > seconds['post-processing']


def test_results_are_the_same_when_somebody_listens(tracker):
    frames, bbox = synthetic_video(64, 48, 3)
    tracker.init(frames[0], bbox)
    expected = tracker.update(frames[1])
    tracker.init(frames[0], bbox)
    recorder = StageRecorder()
    with observed(recorder):
        result = tracker.update(frames[1])
    assert (result.bbox == expected.bbox).all()
    assert (result.mask == expected.mask).all()
    assert recorder.take()
    tracker.update(frames[2])
    assert recorder.take() == {}


def test_what_a_model_lacks_is_left_out(small_config):
    small_config.model.refine_head = None
    tracker = Tracker(MODELS.build(small_config.model))
    frames, bbox = synthetic_video(64, 48, 2)
    tracker.init(frames[0], bbox)
    seconds = next(track_by_stages(tracker, frames[1:], StageRecorder()))
    assert not {'fusion', 'mask', 'refinement box', 'paste'} & set(seconds)
    assert {'backbone', 'RPN', REST} <= set(seconds)


def test_another_runtime_has_no_stages():

    class Stub:

        def update(self, frame):
            torch.ones(3).sum()

    found = list(track_by_stages(Stub(), [None], StageRecorder()))
    assert [set(seconds) for seconds in found] == [{REST}]
