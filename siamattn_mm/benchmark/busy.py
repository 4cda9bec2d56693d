"""Time of a frame beside processes that never wait."""
import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from siamattn_mm.apis import Tracker

from .frame import WARM_UP
from .spread import spread

# Until the scheduler has spread new processes over the cores, in seconds.
_SETTLE = .3
# All in one session; each says its number.
_SPIN = r"""
import os, sys
for _ in range(int(sys.argv[1]) - 1):
    if not os.fork():
        break
os.write(1, b"%d\n" % os.getpid())
while True:
    pass
"""


@contextlib.contextmanager
def spinning_processes(number: int) -> Iterator[List[int]]:
    """Keep other processes busy inside this context.

    They are a session of their own, as what runs in another terminal is:
    Linux may share the cores among sessions first (``man 7 sched``,
    autogroups).

    Args:
        number (int): Of processes, each of which takes all it gets of a core.

    Yields:
        list[int]: Their ids.
    """
    if not number:
        time.sleep(_SETTLE)
        yield []
        return
    first = subprocess.Popen(
        [sys.executable, '-S', '-c', _SPIN, str(number)],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True)
    try:
        ids = [int(first.stdout.readline()) for _ in range(number)]
        time.sleep(_SETTLE)
        yield ids
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        first.stdout.close()


def measure_busy(tracker: Tracker,
                 frames: List[np.ndarray],
                 bbox: Sequence[float],
                 num_runs: int,
                 loads: Sequence[int] = (1, 2),
                 advance: Callable[[], None] = lambda: None
                 ) -> List[Dict[str, Any]]:
    """Track quietly and beside spinning processes, in turn.

    Args:
        tracker (Tracker): The tracker.
        frames (list[np.ndarray]): (H, W, 3) uint8,
            :data:`~.frame.MIN_FRAMES` or more.
        bbox (Sequence[float]): The target in the first frame, x, y, w, h.
        num_runs (int): Of each load.
        loads (Sequence[int]): Numbers of processes. Defaults to (1, 2).
        advance (Callable): Called after each run.

    Returns:
        list[dict]: First quietly, then of each load: ``processes``,
        ``init_ms``, ``frame_ms`` (of each run's median frame), ``fps`` (of
        all frames of a run), ``times_quiet``, how many times as long a
        frame takes as the quiet one of the same round
        (:class:`~.spread.Spread` as dicts), and ``others``, how many cores
        were taken by processes that have nothing to do with this: the median
        over the runs, None where the system does not say.
    """
    loads = [0, *loads]
    runs: Dict[int, List[_Run]] = {load: [] for load in loads}
    _track(tracker, frames, bbox)  # what is computed once
    for index in range(num_runs):
        # None is always the one that follows the same other.
        for load in loads if index % 2 == 0 else reversed(loads):
            with spinning_processes(load) as ids, _OtherLoad(ids) as others:
                run = _track(tracker, frames, bbox)
            runs[load].append(run._replace(others=others.cores))
            advance()
    return [
        dict(
            processes=load,
            init_ms=_spread(1e3 * run.init for run in runs[load]),
            frame_ms=_spread(1e3 * run.frame for run in runs[load]),
            fps=_spread(run.fps for run in runs[load]),
            times_quiet=_spread(
                busy.frame / quiet.frame
                for busy, quiet in zip(runs[load], runs[0])),
            others=_median(run.others for run in runs[load]))
        for load in loads
    ]


class _Run(NamedTuple):
    """Seconds of the first and of the median frame, frames a second."""
    init: float
    frame: float
    fps: float
    others: Optional[float] = None


class _OtherLoad:
    """How many cores are taken by other processes than this and some more.

    Args:
        ids (Sequence[int]): Of those.

    Attributes:
        cores (float, optional): Behind the block; None if unknown.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids, self.cores = ids, None

    def __enter__(self) -> '_OtherLoad':
        self._before = self._read()
        return self

    def __exit__(self, *exception: object) -> None:
        after = self._read()
        if self._before is not None and after is not None:
            (began, busy), (ended, busier) = self._before, after
            self.cores = max(0., (busier - busy) / (ended - began))

    def _read(self) -> Optional[Tuple[float, float]]:
        """The time, and the seconds of CPU of all others."""
        try:
            with open('/proc/stat', encoding='utf-8') as file:
                ticks = [int(field) for field in file.readline().split()[1:]]
            # All but idle, and waiting for a disk.
            busy = sum(ticks[:3] + ticks[5:8])
            for process in self._ids:
                with open(f'/proc/{process}/stat', encoding='utf-8') as file:
                    fields = file.read().rpartition(')')[2].split()
                busy -= int(fields[11]) + int(fields[12])
            seconds = busy / os.sysconf('SC_CLK_TCK')
        except (OSError, ValueError):
            return None
        return time.perf_counter(), seconds - time.process_time()


def _track(tracker: Tracker, frames: List[np.ndarray],
           bbox: Sequence[float]) -> _Run:
    seconds = []
    for index, frame in enumerate(frames):
        began = time.perf_counter()
        if index == 0:
            tracker.init(frame, bbox)
        else:
            tracker.update(frame)
        seconds.append(time.perf_counter() - began)
    warm = seconds[1 + WARM_UP:]
    return _Run(seconds[0], float(np.median(warm)), len(warm) / sum(warm))


def _median(values: Iterable[Optional[float]]) -> Optional[float]:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _spread(values: Iterable[float]) -> Dict[str, float]:
    return spread(list(values))._asdict()
