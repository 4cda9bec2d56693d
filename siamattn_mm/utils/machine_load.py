"""Share the CPU with other processes, if there are any.

How busy the machine is shows in how long threads of this process are ready,
but have no core. While they hardly wait, nothing is changed. While they do,
OpenMP's threads sleep where they wait for each other (:mod:`.openmp`), which
changes no number; and where digits may change in their last place, frames are
timed on one thread and on as many as there are, now and then, and the faster
is used.
"""
import contextlib
import os
import threading
import time
from typing import Callable, Iterator, List, Optional

import numpy as np
import torch

from .openmp import SleepingThreads, is_set_by_user

# Of the time, summed over the threads, in which they have no core. It is 0.01
# on quiet machines, and 0.3 to 1 beside as many processes as there are cores.
BUSY_SHARE = .05
# Below it so many times in a row, and threads spin again.
QUIET_CHECKS = 3
# Beside a single working thread: another one would have found a core.
IDLE_CORES = .7
# Too short to say anything, in seconds.
_MIN_TIME = .05
_THREADS = '/proc/self/task'
# Frames that are timed on one thread, then on several.
TRIAL_FRAMES = 3
# One thread has to be so much faster: it gives other last digits.
_MARGIN = .95
# Frames until the next trial. Trials cost time where several threads are
# better, so that there are fewer and fewer of them.
TRUSTED_FRAMES = 60
_MAX_TRUSTED_FRAMES = 8 * TRUSTED_FRAMES


def waited_for_cores() -> Optional[float]:
    """For how long all threads of this process have waited for a core.

    Returns:
        float, optional: Seconds; None where the system does not say (it
        takes Linux).
    """
    waited = 0
    try:
        for thread in os.listdir(_THREADS):
            # One that has ended meanwhile.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f'{_THREADS}/{thread}/schedstat', 'rb') as file:
                    waited += int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return waited / 1e9


def idle_time() -> Optional[float]:
    """For how long the cores that this process may use had nothing to do.

    Returns:
        float, optional: Seconds, summed over the cores; None where the system
        does not say (it takes Linux).
    """
    try:
        mine = {f'cpu{core}' for core in os.sched_getaffinity(0)}
        with open('/proc/stat', encoding='utf-8') as file:
            rows = [line.split() for line in file if line.startswith('cpu')]
        ticks = sum(int(row[4]) for row in rows if row[0] in mine)
        return ticks / os.sysconf('SC_CLK_TCK')
    except (AttributeError, OSError, ValueError, IndexError):
        return None


class MachineLoad:
    """Decides how threads wait, and how many there are.

    One for a process: :data:`LOAD`.

    Args:
        clock (Callable): Seconds. Defaults to the performance counter.
        waited (Callable): As :func:`waited_for_cores`, the default.
        idle (Callable): As :func:`idle_time`, the default.

    Attributes:
        busy (bool): Whether others want the cores that we use.
        sleeping (SleepingThreads): As long as the machine is busy.
    """

    def __init__(self,
                 clock: Callable[[], float] = time.perf_counter,
                 waited: Callable[[], Optional[float]] = waited_for_cores,
                 idle: Callable[[], Optional[float]] = idle_time) -> None:
        self._clock, self._waited, self._idle = clock, waited, idle
        self._lock = threading.Lock()
        self._local = threading.local()
        self.busy = False
        self.sleeping = SleepingThreads()
        self._last: Optional[tuple] = None
        self._last_idle: Optional[float] = None
        self._quiet = 0
        self._on_one = False
        self._forget_times()

    def _forget_times(self) -> None:
        self._one: List[float] = []
        self._several: List[float] = []
        self._trusted = 0
        self._one_is_faster = False
        self._pause = TRUSTED_FRAMES

    @contextlib.contextmanager
    def choosing_threads(self, choose: bool) -> Iterator[None]:
        """Choose the number of threads, too, in this context and thread.

        Args:
            choose (bool): Sums over one thread and over several differ in
                their last digits: False, the default, keeps the number.
        """
        before = self._may_choose()
        self._local.choosing = choose
        try:
            yield
        finally:
            self._local.choosing = before

    def _may_choose(self) -> bool:
        return getattr(self._local, 'choosing', False)

    def start(self) -> None:
        """Before the first frame: find out anew."""
        with self._lock:
            self._forget_times()
            if self._last is None and self._has_choice():
                # On a busy machine this would take many times as long.
                self._last = self._clock(), self._waited()
                self._set_busy(self._last[1] is not None)

    def check(self) -> None:
        """Look at how busy the machine was since the last time."""
        if self._has_choice():
            with self._lock:
                self._check()

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        """Around a frame: sets the number of threads, and takes the time."""
        if not self._has_choice():
            yield
            return
        self.check()
        threads = torch.get_num_threads()
        timed = self.busy and self._may_choose()
        # Others may track in other threads of Python meanwhile.
        one = self._on_one = timed and self._prefers_one()
        if one:
            torch.set_num_threads(1)
        began = self._clock()
        try:
            yield
        finally:
            if one:
                torch.set_num_threads(threads)
        if timed:
            with self._lock:
                self._note(one, self._clock() - began)

    @staticmethod
    def _has_choice() -> bool:
        return torch.get_num_threads() > 1 and not is_set_by_user()

    def _prefers_one(self) -> bool:
        """Whether the next frame is for one thread."""
        if self._trusted > 0:
            return self._one_is_faster
        return len(self._one) < TRIAL_FRAMES

    def _note(self, one: bool, seconds: float) -> None:
        if self._trusted > 0:
            self._trusted -= 1
        else:
            (self._one if one else self._several).append(seconds)
            if len(self._several) >= TRIAL_FRAMES:
                self._decide(
                    np.median(self._one) < _MARGIN * np.median(self._several))

    def _decide(self, one: bool) -> None:
        self._one_is_faster, self._one, self._several = one, [], []
        self._trusted = TRUSTED_FRAMES if one else self._pause
        if not one:
            self._pause = min(2 * self._pause, _MAX_TRUSTED_FRAMES)

    def _check(self) -> None:
        now = self._clock()
        if self._last is None:
            self._last = now, self._waited()
        elapsed = now - self._last[0]
        if elapsed < _MIN_TIME or self._last[1] is None:
            return
        # Threads that have ended are not counted any more.
        waited = self._waited()
        share = (waited - self._last[1]) / elapsed
        self._last = now, waited
        if share > BUSY_SHARE:
            self._quiet = 0
            if not self.busy:
                self._set_busy(True)
        elif self.busy and self._could_use_more(elapsed):
            self._quiet += 1
            if self._quiet >= QUIET_CHECKS:
                self._set_busy(False)

    def _could_use_more(self, elapsed: float) -> bool:
        """Whether threads that do not wait show that the machine is quiet."""
        before = self._last_idle
        self._last_idle = self._idle() if self._on_one else None
        if not self._on_one:
            return True
        # One thread alone may have a core of its own, and there be no other.
        return (None not in (before, self._last_idle)
                and self._last_idle - before > IDLE_CORES * elapsed)

    def _set_busy(self, busy: bool) -> None:
        self.busy, self._quiet = busy, 0
        self._forget_times()
        if busy:
            self.sleeping.start()
        else:
            self.sleeping.stop()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self.sleeping.forget()
        self._last, self.busy = None, False
        self._forget_times()


LOAD = MachineLoad()
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=LOAD._after_fork)
