"""What is done about a busy machine, and when."""
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
        self.now = self.waited = self.idle = 0.
        self.tells_idle = True
        self.load = MachineLoad(lambda: self.now, lambda: self.waited,
                                lambda: self.idle if self.tells_idle else None)
        self.load.sleeping = Sleeping()
        self.busy, self.one, self.several = False, .1, .1

    def pass_time(self, seconds):
        self.now += seconds
        alone = torch.get_num_threads() == 1
        self.waited += seconds * (.4 if self.busy and not alone else .01)
        self.idle += seconds * (2 if alone and not self.busy else 0)

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


TRIAL = [1] * TRIAL_FRAMES + [3] * TRIAL_FRAMES


def test_the_faster_number_of_threads_is_found(machine):
    machine.busy, machine.one, machine.several = True, .12, .15
    machine.init()
    assert [machine.frame() for _ in TRIAL] == TRIAL
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {1}
    # Again: things may have changed.
    machine.several = .11
    assert [machine.frame() for _ in TRIAL] == TRIAL
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {3}
    # And once more, but less and less often.
    assert [machine.frame() for _ in TRIAL] == TRIAL
    assert {machine.frame() for _ in range(2 * TRUSTED_FRAMES)} == {3}
    assert [machine.frame() for _ in TRIAL] == TRIAL


def test_one_thread_that_is_left_alone_says_nothing_of_the_load(machine):
    machine.busy, machine.one, machine.tells_idle = True, .05, False
    machine.init()
    for _ in TRIAL:
        machine.frame()
    machine.busy = False
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {1}
    assert machine.load.sleeping
    assert [machine.frame() for _ in TRIAL] == TRIAL
    assert machine.frame() == 3
    assert not machine.load.sleeping


def test_idle_cores_beside_one_thread_end_it(machine):
    machine.busy, machine.one = True, .05
    machine.init()
    for _ in TRIAL:
        machine.frame()
    assert {machine.frame() for _ in range(20)} == {1}
    machine.busy = False
    # One frame until the first look, and two looks make a difference.
    found = [machine.frame() for _ in range(2 * QUIET_CHECKS + 2)]
    assert found[-1] == 3 and not machine.load.sleeping


def test_a_hardly_faster_thread_is_not_worth_other_digits(machine):
    machine.busy, machine.one, machine.several = True, .098, .1
    machine.init()
    for _ in TRIAL:
        machine.frame()
    assert {machine.frame() for _ in range(TRUSTED_FRAMES)} == {3}


def test_threads_are_given_back_after_an_error(machine):
    machine.busy, machine.one, machine.several = True, .05, .1
    machine.init()
    for _ in TRIAL:
        machine.frame()
    with pytest.raises(ZeroDivisionError):
        with machine.load.choosing_threads(True), machine.load.frame():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize('setting', SETTINGS + ('one thread', 'unknown'))
def test_a_users_choice_is_left_alone(machine, monkeypatch, setting):
    machine.busy = True
    if setting == 'one thread':
        torch.set_num_threads(1)
    elif setting == 'unknown':
        monkeypatch.setattr(machine.load, '_waited', lambda: None)
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


def test_waiting_for_cores(monkeypatch, tmp_path):
    for thread, text in (('1', '5 2000000000 1'), ('2', '7 500000000 1')):
        (tmp_path / thread).mkdir()
        (tmp_path / thread / 'schedstat').write_text(text)
    (tmp_path / '3').mkdir()  # has ended
    monkeypatch.setattr(machine_load, '_THREADS', str(tmp_path))
    assert machine_load.waited_for_cores() == 2.5
    monkeypatch.setattr(machine_load, '_THREADS', str(tmp_path / 'none'))
    assert machine_load.waited_for_cores() is None
    # Of this process: it never gets less.
    monkeypatch.undo()
    first = machine_load.waited_for_cores()
    assert first is None or first >= 0


def test_idle_time(monkeypatch, tmp_path):
    file = tmp_path / 'stat'
    file.write_text('cpu  1 2 3 700 5\ncpu0 1 1 1 400 1\n'
                    'cpu1 1 1 1 200 1\ncpu10 1 1 1 100 1\nintr 5\n')
    real = open
    monkeypatch.setattr(
        'builtins.open', lambda path, *args, **kwargs: real(
            file if path == '/proc/stat' else path, *args, **kwargs))
    monkeypatch.setattr(
        machine_load.os, 'sched_getaffinity', lambda _: {0, 10}, raising=False)
    monkeypatch.setattr(machine_load.os, 'sysconf', lambda _: 100)
    assert machine_load.idle_time() == 5
    file.write_text('nothing\ncpu0 1')
    assert machine_load.idle_time() is None
    file.unlink()
    assert machine_load.idle_time() is None
