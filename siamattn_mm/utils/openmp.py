"""Let OpenMP's threads wait asleep instead of spinning.

A thread that waits for the others spins: GNU's runtime, which comes with
PyTorch for Linux, does so for some milliseconds, since waking up takes time.
Where another process could use the core, the spinning thread keeps it from
the very thread that it waits for. How long it spins is read from the
environment (``OMP_WAIT_POLICY``, ``GOMP_SPINCOUNT``) before PyTorch is
imported. After that, the runtime's own rule is left: it hardly spins while
the process has more OpenMP threads than there are CPUs (manual of libgomp,
``GOMP_SPINCOUNT``). So we give it more, asleep.
"""
import os
import threading
from functools import lru_cache
from typing import List

import torch

SETTINGS = ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT')
THREAD_NAME = 'sleeping-openmp-team'
# Numbers that PyTorch gives to one thread, at most.
_GRAIN = 32768


@lru_cache(maxsize=None)
def is_gnu() -> bool:
    """Whether GNU's runtime is loaded, of which alone this is known.

    Returns:
        bool: False also where the system does not say.
    """
    try:
        with open('/proc/self/maps', encoding='utf-8') as file:
            return any('libgomp' in line for line in file)
    except OSError:
        return False


def is_set_by_user() -> bool:
    """Whether the environment says how threads are to wait.

    Returns:
        bool: Then it is left to that.
    """
    return any(name in os.environ for name in SETTINGS)


def usable_cores() -> int:
    """Cores that this process may use.

    Returns:
        int: 1 or more.
    """
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class SleepingThreads:
    """OpenMP threads that do nothing but exist.

    Nothing else changes: neither how many threads work, nor any number.
    """

    def __init__(self) -> None:
        self._holders: List[threading.Thread] = []
        self._leave = threading.Event()

    def __bool__(self) -> bool:
        """bool: Whether there are any."""
        return bool(self._holders)

    def start(self) -> None:
        """Have as many as it takes, if there are none yet."""
        working = torch.get_num_threads()
        if self._holders or working < 2 or not is_gnu():
            return
        self._leave = threading.Event()
        # Each holder's team is of as many threads, one of which it is itself.
        for _ in range((usable_cores() - working) // (working - 1) + 1):
            ready = threading.Event()
            holder = threading.Thread(
                target=_hold,
                args=(working, ready, self._leave),
                name=THREAD_NAME,
                daemon=True)
            try:
                holder.start()
            except RuntimeError:  # no more threads are allowed
                return
            self._holders.append(holder)
            ready.wait()

    def stop(self) -> None:
        """Let them go."""
        self._leave.set()
        for holder in self._holders:
            holder.join()
        self._holders = []

    def forget(self) -> None:
        """They are not there: this process was forked."""
        self._holders = []


def _hold(threads: int, ready: threading.Event,
          leave: threading.Event) -> None:
    # One parallel region makes this thread's team, which lives as long as it.
    try:
        torch.zeros(threads * _GRAIN).add_(1)
    finally:
        ready.set()
    leave.wait()
