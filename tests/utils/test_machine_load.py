"""What is done about a busy machine, and when."""
import os
import threading

import pytest
import torch

from siamattn_mm.utils import machine_load
from siamattn_mm.utils.machine_load import (
    QUIET_CHECKS,
    TRIAL_FRAMES,
    TRUSTED_FRAMES,
    MachineLoad,
)
from siamattn_mm.utils.openmp import SETTINGS


class Sleeping:
    """In the place of threads."""

    def __init__(self):
        self.on = False

    def __bool__(self):
        return self.on

    def start(self):
        self.on = True

    def stop(self):
        self.on = False


class Machine:
    """A machine whose load and speeds are given; frames take 0.1 s."""

    def __init__(self):
        self.now, self.taken = 0., 0
        self.load = MachineLoad(lambda: self.now, lambda: self.taken)
        self.load.sleeping = Sleeping()
        self.busy, self.one, self.several = False, .1, .1

    def pass_time(self, seconds):
        self.now += seconds
        self.taken += round(seconds * (1000 if self.busy else 20))

    def frame(self, choose=True):
        """The number of threads of a frame."""
        with self.load.choosing_threads(choose), self.load.frame():
            threads = torch.get_num_threads()
            self.pass_time(self.one if threads == 1 else self.several)
        assert torch.get_num_threads() == 3
        return threads

    def init(self):
        self.load.start()
        for _ in range(5):
            self.pass_time(.1)
            self.load.check()


@pytest.fixture
def machine(monkeypatch):
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    torch.set_num_threads(3)
    yield Machine()
    torch.set_num_threads(1)


def test_nothing_is_changed_on_a_quiet_machine(machine):
    machine.load.start()
    # Until it is known.
    assert machine.load.sleeping
    machine.init()
    assert not machine.load.sleeping
    assert {machine.frame() for _ in range(100)} == {3}
    assert not machine.load.sleeping
    machine.init()
    assert not machine.load.sleeping


def test_threads_sleep_while_it_is_busy(machine):
    machine.init()
    machine.busy = True
    machine.frame(False)
    assert {machine.frame(False) for _ in range(100)} == {3}
    assert machine.load.sleeping
    machine.busy = False
    for _ in range(QUIET_CHECKS):
        assert machine.load.sleeping
        machine.frame(False)
    machine.frame(False)
    assert not machine.load.sleeping


def test_the_faster_number_of_threads_is_found(machine):
    machine.busy, machine.one, machine.several = True, .12, .15
    machine.init()
    trial = [machine.frame() for _ in range(2 * TRIAL_FRAMES)]
    assert trial == [3] * TRIAL_FRAMES + [1] * TRIAL_FRAMES
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {1}
    # Again: things may have changed.
    machine.several = .11
    assert [machine.frame() for _ in range(2 * TRIAL_FRAMES)] == trial
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {3}


def test_one_thread_that_is_left_alone_says_nothing_of_the_load(machine):
    machine.busy, machine.one = True, .05
    machine.init()
    for _ in range(2 * TRIAL_FRAMES):
        machine.frame()
    machine.busy = False
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {1}
    assert machine.load.sleeping
    assert {machine.frame() for _ in range(3 * TRUSTED_FRAMES)} == {3}
    assert not machine.load.sleeping


def test_a_hardly_faster_thread_is_not_worth_other_digits(machine):
    machine.busy, machine.one, machine.several = True, .098, .1
    machine.init()
    for _ in range(2 * TRIAL_FRAMES):
        machine.frame()
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {3}


def test_threads_are_given_back_after_an_error(machine):
    machine.busy, machine.one, machine.several = True, .05, .1
    machine.init()
    for _ in range(2 * TRIAL_FRAMES):
        machine.frame()
    with pytest.raises(ZeroDivisionError):
        with machine.load.choosing_threads(True), machine.load.frame():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize('setting', SETTINGS + ('one thread', 'no rusage'))
def test_a_users_choice_is_left_alone(machine, monkeypatch, setting):
    machine.busy = True
    if setting == 'one thread':
        torch.set_num_threads(1)
    elif setting == 'no rusage':
        monkeypatch.setattr(machine_load, 'getrusage', None)
    else:
        monkeypatch.setenv(setting, 'ACTIVE')
    machine.init()
    with machine.load.choosing_threads(True):
        for _ in range(20):
            with machine.load.frame():
                machine.pass_time(.1)
    assert not machine.load.busy and not machine.load.sleeping


def test_the_choice_is_each_threads_own(machine):
    seen = []

    def look():
        seen.append(machine.load._may_choose())

    with machine.load.choosing_threads(True):
        other = threading.Thread(target=look)
        other.start()
        other.join()
        look()
        with machine.load.choosing_threads(False):
            look()
        look()
    look()
    assert seen == [False, True, False, True, False]


def test_cores_taken_are_counted():
    if machine_load.getrusage is None:
        pytest.skip('this system does not count them')
    before = machine_load._cores_taken()
    os.sched_yield()
    assert machine_load._cores_taken() >= before >= 0
