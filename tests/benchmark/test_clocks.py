"""Marks by the host's clock, by events, and by whatever else adds up."""
import functools

import pytest
import torch

from siamattn_mm.benchmark.clocks import Clock, CudaClock, clock_for
from siamattn_mm.benchmark.stages import StageRecorder


class Gpu:
    """Does work in its order, long after it was told to, as CUDA does."""

    def __init__(self):
        self.queue, self.now = [], 0.

    def launch(self, milliseconds):
        self.queue.append(milliseconds)

    def synchronize(self, device):
        assert device == torch.device('cuda:1')
        for one in self.queue:
            if isinstance(one, float):
                self.now += one
            else:
                one.time = self.now
        self.queue = []

    def current_stream(self, device):
        return ('stream', device)

    def Event(self, enable_timing):
        assert enable_timing
        return Event(self)


class Event:
    """As torch.cuda.Event: without a time until the GPU has come to it."""

    def __init__(self, gpu):
        self.gpu, self.time = gpu, None

    def record(self, stream):
        assert stream == ('stream', torch.device('cuda:1'))
        self.gpu.queue.append(self)

    def elapsed_time(self, end):
        if self.time is None or end.time is None:
            raise RuntimeError('not ready')
        return end.time - self.time


def test_stages_have_the_time_of_their_work_on_the_gpu():
    gpu = Gpu()
    recorder = StageRecorder(CudaClock('cuda:1', gpu))

    def outer():
        gpu.launch(1.)
        recorder.call('inner', gpu.launch, 20.)
        gpu.launch(2.)

    recorder.call('outer', outer)
    gpu.launch(1000.)  # between stages
    recorder.call('inner', gpu.launch, 5.)
    assert recorder.take() == pytest.approx(dict(outer=.003, inner=.025))
    assert recorder.take() == {}


def test_what_one_call_takes_on_the_gpu():
    gpu = Gpu()
    clock = CudaClock('cuda:1', gpu)
    gpu.launch(500.)  # not over yet
    assert clock.timed(gpu.launch, 7.) == pytest.approx(.007)


def test_the_host():
    assert type(clock_for('cpu')) is Clock
    assert clock_for('cpu').timed(functools.partial(sum, range(1000))) > 0
    assert type(clock_for('cuda:1')) is CudaClock


def test_any_reading():
    readings = iter([5, 12])
    assert Clock(lambda: next(readings)).timed(lambda: None) == 7
