"""A frame beside processes that never wait."""
import contextlib
import os
import time

import numpy as np
import pytest

from siamattn_mm.benchmark import busy
from siamattn_mm.benchmark.frame import MIN_FRAMES


@pytest.fixture(autouse=True)
def no_settling(monkeypatch):
    monkeypatch.setattr(busy, '_SETTLE', 0)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_spin_until_the_end():
    with pytest.raises(KeyboardInterrupt):
        with busy.spinning_processes(2) as ids:
            assert len(set(ids)) == 2
            assert all(alive(process) for process in ids)
            # Not of this session, as other people's are not.
            session, = {os.getsid(process) for process in ids}
            assert session != os.getsid(0)
            raise KeyboardInterrupt
    deadline = time.monotonic() + 10
    while any(alive(process) for process in ids):
        # Whoever adopted them has to notice.
        assert time.monotonic() < deadline
        time.sleep(.01)


def test_none_is_none():
    with busy.spinning_processes(0) as ids:
        assert ids == []


class Tracker:
    """Takes as long as the number of processes says."""

    def __init__(self, clock, running):
        self.clock, self.running = clock, running
        self.calls = []

    def init(self, frame, bbox):
        self.calls.append(('init', self.running()))
        self.clock.now += 1

    def update(self, frame):
        self.calls.append(('update', self.running()))
        self.clock.now += .1 * (1 + self.running())


class Clock:

    now = 0.

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        pass


def test_loads_take_turns(monkeypatch):
    clock, running = Clock(), []

    @contextlib.contextmanager
    def processes(number):
        running.append(number)
        yield []
        running.pop()

    monkeypatch.setattr(busy, 'time', clock)
    monkeypatch.setattr(busy, 'spinning_processes', processes)
    ticks = iter(range(100))
    monkeypatch.setattr(busy._OtherLoad, '_read',
                        lambda self: (0, 0) if next(ticks) % 2 else (2, 1))
    tracker = Tracker(clock, lambda: sum(running))
    advanced = []
    found = busy.measure_busy(tracker, [np.zeros(1)] * MIN_FRAMES, (), 2,
                              (1, 2), lambda: advanced.append(1))
    inits = [load for name, load in tracker.calls if name == 'init']
    # The first one only warms up.
    assert inits == [0, 0, 1, 2, 2, 1, 0]
    assert len(advanced) == 6
    assert [row['processes'] for row in found] == [0, 1, 2]
    for row in found:
        times = 1 + row['processes']
        assert row['init_ms']['median'] == pytest.approx(1000)
        assert row['frame_ms']['median'] == pytest.approx(100 * times)
        assert row['fps']['median'] == pytest.approx(10 / times)
        assert row['others'] == .5
        for key in ('median', 'low', 'high'):
            assert row['times_quiet'][key] == pytest.approx(times)


def test_others_are_all_but_those_who_belong_to_it():
    with busy.spinning_processes(1) as ids:
        with busy._OtherLoad(ids) as others:
            sum(range(100000))
        if not os.path.exists('/proc/stat'):
            assert others.cores is None
        else:
            assert others.cores >= 0
        with busy._OtherLoad([-1]) as others:  # who has gone
            pass
        assert others.cores is None
