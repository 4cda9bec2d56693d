"""Share the CPU with other processes, if there are any.

How busy the machine is shows in how often the scheduler takes a core away
from this process. While it seldom does, nothing is changed. While it does so
often, OpenMP's threads sleep where they wait (:mod:`.openmp`), which changes
no number; and where digits may change in their last place, frames are timed
on one thread and on as many as there are, now and then, and the faster is
used.
"""
import contextlib
import os
import threading
import time
from typing import Callable, Iterator, List, Optional

import numpy as np
import torch

from .openmp import SleepingThreads, is_set_by_user

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # Windows
    getrusage = None

# Cores taken away, a second. Quiet machines have 20, busy ones from 150 on
# while threads spin, and thousands while they sleep.
BUSY_RATE = 75
# Below these, in a row, and as long together, threads spin again.
QUIET_CHECKS = 3
# Too short to say anything, in seconds.
_MIN_TIME = .02
# Frames that are timed in each way, and frames until they are again.
TRIAL_FRAMES = 4
TRUSTED_FRAMES = 60
# One thread has to be so much faster: it gives other last digits.
_MARGIN = .95


def _cores_taken() -> int:
    """How often the scheduler has taken a core away from this process."""
    return getrusage(RUSAGE_SELF).ru_nivcsw


class MachineLoad:
    """Decides how threads wait, and how many there are.

    One for a process: :data:`LOAD`.

    Args:
        clock (Callable): Seconds. Defaults to the performance counter.
        cores_taken (Callable): How often a core was taken away so far.

    Attributes:
        busy (bool): Whether others want the cores that we use.
        sleeping (SleepingThreads): As long as the machine is busy.
    """

    def __init__(self,
                 clock: Callable[[], float] = time.perf_counter,
                 cores_taken: Callable[[], int] = _cores_taken) -> None:
        self._clock, self._cores_taken = clock, cores_taken
        self._lock = threading.Lock()
        self._local = threading.local()
        self.busy = False
        self.sleeping = SleepingThreads()
        self._last: Optional[tuple] = None
        self._quiet = 0
        self._on_one = False
        self._forget_times()

    def _forget_times(self) -> None:
        self._one: List[float] = []
        self._several: List[float] = []
        self._trusted = 0

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
                self._last = self._clock(), self._cores_taken()
                self._set_busy(True)

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
        return (getrusage is not None and torch.get_num_threads() > 1
                and not is_set_by_user())

    def _prefers_one(self) -> bool:
        """Whether the next frame is for one thread."""
        if len(self._several) < TRIAL_FRAMES:
            return False
        return (len(self._one) < TRIAL_FRAMES or
                np.median(self._one) < _MARGIN * np.median(self._several))

    def _note(self, one: bool, seconds: float) -> None:
        times = self._one if one else self._several
        if len(times) < TRIAL_FRAMES:
            times.append(seconds)
            return
        self._trusted += 1
        if self._trusted >= TRUSTED_FRAMES:
            self._forget_times()

    def _check(self) -> None:
        now, taken = self._clock(), self._cores_taken()
        if self._last is None:
            self._last = now, taken
            return
        elapsed, taken_since = now - self._last[0], taken - self._last[1]
        if elapsed < _MIN_TIME:
            return
        self._last = now, taken
        if taken_since > BUSY_RATE * elapsed:
            self._quiet = 0
            if not self.busy:
                self._set_busy(True)
        elif self.busy and not self._on_one:
            # One thread alone may have a core of its own.
            self._quiet += 1
            if self._quiet >= QUIET_CHECKS:
                self._set_busy(False)

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
