"""Time, arithmetic and memory of tracking a frame."""
import multiprocessing
import os.path as osp
import time
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from mmengine.config import Config

from siamattn_mm.apis import Tracker, init_tracker
from siamattn_mm.deploy import is_exported
from siamattn_mm.utils.configs import require_config
from siamattn_mm.utils.devices import device_of

from .clocks import Clock, clock_for
from .flops import FlopGauge, can_count, matmul_peak
from .memory import gpu_peak_mb, peak_rss_mb, reset_peak, rss_mb
from .spread import Spread, spread
from .stages import STAGES, StageRecorder, track_by_stages

# Frames behind the first one that only warm up: caches, allocators, clocks.
WARM_UP = 3
MIN_FRAMES = WARM_UP + 2


class TrackerSpec(NamedTuple):
    """Which tracker to measure.

    Attributes:
        config (str): Config file.
        options (dict, optional): Changes of the config.
        checkpoint (str, optional): Weights; without them those that ship
            with the package, or random ones.
        device (str, optional): e.g. ``'cpu'``; see ``init_tracker``.
        runtime (str): Of an exported checkpoint.
    """
    config: str
    options: Optional[dict] = None
    checkpoint: Optional[str] = None
    device: Optional[str] = None
    runtime: str = 'onnxruntime'

    @property
    def name(self) -> str:
        """str: The config's name and what was changed of it."""
        parts = [osp.splitext(osp.basename(self.config))[0]]
        if self.checkpoint is not None:
            parts.append(osp.basename(self.checkpoint))
            if is_exported(self.checkpoint):
                parts.append(self.runtime)
        parts += [f'{key}={value}'
                  for key, value in (self.options or {}).items()]
        return ' '.join(parts)

    def build(self, choose_threads: bool = False) -> Tracker:
        """Build the tracker.

        Args:
            choose_threads (bool): See :class:`~siamattn_mm.apis.Tracker`.
                Defaults to False: those that are compared have as many.

        Returns:
            Tracker: Ready for ``init``.

        Raises:
            FileNotFoundError: If there is no such config.
            ValueError: As :func:`~siamattn_mm.apis.init_tracker`.
        """
        config = Config.fromfile(require_config(self.config))
        config.merge_from_dict(self.options or {})
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            # An untrained model takes as long as a trained one. Without
            # weights, two of one config shall have the same.
            warnings.filterwarnings('ignore', message='init_tracker')
            torch.manual_seed(0)
            return init_tracker(config, self.checkpoint, self.device,
                                self.runtime, choose_threads)


def median_frame(tracker: Any, frames: Sequence[np.ndarray]) -> float:
    """Time the frames behind the first one, by the host's clock.

    Args:
        tracker (Any): Anything with ``update`` that has a target.
        frames (Sequence[np.ndarray]): (H, W, 3) uint8, more than ``WARM_UP``.

    Returns:
        float: Seconds of the median frame, without those that warm up.
    """
    seconds = []
    for frame in frames:
        began = time.perf_counter()
        tracker.update(frame)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[WARM_UP:]))


class FrameRuns:
    """All runs of one tracker over the same frames.

    Args:
        tracker (Tracker): The tracker.
        frames (list[np.ndarray]): (H, W, 3) uint8, ``MIN_FRAMES`` or more.
        bbox (Sequence[float]): The target in the first frame, x, y, w, h.
    """

    def __init__(self, tracker: Tracker, frames: List[np.ndarray],
                 bbox: Sequence[float]) -> None:
        self.tracker, self.frames, self.bbox = tracker, frames, bbox
        self.inits: List[float] = []
        self.wholes: List[float] = []
        self.stages: List[Dict[str, float]] = []

    def run(self) -> None:
        """Track twice: undisturbed, then with a clock in every stage.

        A whole frame ends when its result is there, by the host's clock.
        """
        clock = clock_for(device_of(self.tracker.model))
        clock.wait()
        began = time.perf_counter()
        self.tracker.init(self.frames[0], self.bbox)
        clock.wait()
        self.inits.append(time.perf_counter() - began)
        self.wholes.append(median_frame(self.tracker, self.frames[1:]))
        self.tracker.init(self.frames[0], self.bbox)
        counts = list(
            track_by_stages(self.tracker, self.frames[1:],
                            StageRecorder(clock)))
        counts = counts[WARM_UP:]
        self.stages.append({
            stage: float(np.median([c.get(stage, 0.) for c in counts]))
            for stage in STAGES if any(stage in c for c in counts)
        })

    def count_flops(self) -> Optional[Dict[str, int]]:
        """Operations of each stage of one frame.

        Returns:
            dict[str, int] | None: None where they cannot be counted: by an
            old PyTorch, or in another runtime.
        """
        if not can_count():
            return None
        self.tracker.init(self.frames[0], self.bbox)
        # What is computed once is no part of a frame.
        self.tracker.update(self.frames[1])
        with FlopGauge(self.tracker.model) as gauge:
            counts = next(
                track_by_stages(self.tracker, self.frames[1:],
                                StageRecorder(Clock(gauge))))
        total = sum(counts.values())
        return {k: int(v) for k, v in counts.items()} if total else None

    def figures(self, peak: float) -> Dict[str, Any]:
        """What was measured, for tables and JSON.

        Args:
            peak (float): FLOP a second that can be reached.

        Returns:
            dict: ``init_ms``, ``frame_ms`` (:class:`Spread` as dicts),
            ``fps``, ``gflop`` and ``share_of_peak`` (None if not known), and
            ``stages``: a list of dicts with ``stage``, ``ms``, ``gflop`` and
            ``share_of_peak``.
        """
        flops = self.count_flops()

        def row(seconds: Sequence[float], count: Optional[float]) -> dict:
            found = spread(seconds)
            known = count is not None and found.median > 0
            return dict(
                ms={k: 1e3 * v for k, v in found._asdict().items()},
                gflop=None if count is None else count / 1e9,
                share_of_peak=count /
                (found.median * peak) if known else None)

        names = [
            stage for stage in STAGES
            if any(stage in run for run in self.stages)
        ]
        rows = [
            dict(
                stage=stage,
                **row([run.get(stage, 0.) for run in self.stages],
                      None if flops is None else flops.get(stage, 0)))
            for stage in names
        ]
        whole = row(self.wholes,
                    None if flops is None else sum(flops.values()))
        return dict(
            init_ms={
                k: 1e3 * v
                for k, v in spread(self.inits)._asdict().items()
            },
            frame_ms=whole['ms'],
            fps=1e3 / whole['ms']['median'],
            gflop=whole['gflop'],
            share_of_peak=whole['share_of_peak'],
            stages=rows)


def ratios(base: FrameRuns, other: FrameRuns) -> Dict[str, Dict[str, float]]:
    """How many times faster the other one is, run against run.

    Args:
        base (FrameRuns): One tracker.
        other (FrameRuns): Another one, run in turn with it.

    Returns:
        dict[str, dict]: :class:`Spread` of ``frame``, of ``all but backbone``
        and of every stage that both have.
    """
    found = {'frame': _divide(base.wholes, other.wholes)}

    def without_backbone(runs: FrameRuns) -> List[float]:
        return [sum(run.values()) - run['backbone'] for run in runs.stages]

    if all('backbone' in run for run in base.stages + other.stages):
        found['all but backbone'] = _divide(
            without_backbone(base), without_backbone(other))
    for stage in STAGES:
        if all(stage in run for run in base.stages + other.stages):
            found[stage] = _divide([run[stage] for run in base.stages],
                                   [run[stage] for run in other.stages])
    return {k: v._asdict() for k, v in found.items() if v is not None}


def _divide(base: List[float], other: List[float]) -> Optional[Spread]:
    if min(other) <= 0:
        return None  # too short for the clock
    return spread([b / o for b, o in zip(base, other)])


def differences(base: FrameRuns, other: FrameRuns) -> Dict[str, float]:
    """How far the results of two trackers are apart on the same frames.

    Args:
        base (FrameRuns): One tracker.
        other (FrameRuns): Another one, with the same weights.

    Returns:
        dict[str, float]: Largest differences of a box's coordinate
        (``bbox``, pixels), of the ``score``, and of the share of pixels in
        one ``mask`` alone, if both have masks.
    """
    for runs in (base, other):
        runs.tracker.init(runs.frames[0], runs.bbox)
    found: Dict[str, float] = {}
    for frame in base.frames[1:]:
        one, two = base.tracker.update(frame), other.tracker.update(frame)
        values = dict(
            bbox=float(np.abs(one.bbox - two.bbox).max()),
            score=abs(one.score - two.score))
        if one.mask is not None and two.mask is not None:
            values['mask'] = float((one.mask != two.mask).mean())
        for key, value in values.items():
            found[key] = max(value, found.get(key, 0.))
    return found


def measure(trackers: Dict[str, Tracker],
            frames: List[np.ndarray],
            bbox: Sequence[float],
            num_runs: int,
            advance: Callable[[], None] = lambda: None) -> Dict[str, Any]:
    """Run one tracker, or two in turn.

    Args:
        trackers (dict[str, Tracker]): One or two by their names; the first
            is the base.
        frames (list[np.ndarray]): See :class:`FrameRuns`.
        bbox (Sequence[float]): The target in the first frame.
        num_runs (int): Runs of each; before each round of runs the matrix
            multiplication's peak is measured.
        advance (Callable): Called after each run.

    Returns:
        dict: ``peak_gflops``, ``trackers``: a list of the figures of each
        with its ``name``, and with two, ``ratios`` and ``differences``.
    """
    runs = [
        FrameRuns(tracker, frames, bbox) for tracker in trackers.values()
    ]
    device = device_of(runs[0].tracker.model)
    peak = matmul_peak(device)
    for index in range(num_runs):
        peak = max(peak, matmul_peak(device))
        # Neither is always the one that follows the other.
        for one in runs if index % 2 == 0 else reversed(runs):
            one.run()
            advance()
    report = dict(
        peak_gflops=peak / 1e9,
        trackers=[
            dict(name=name, **one.figures(peak))
            for name, one in zip(trackers, runs)
        ])
    if len(runs) == 2:
        report['ratios'] = ratios(*runs)
        report['differences'] = differences(*runs)
    return report


def tracking_memory(spec: TrackerSpec, frames: List[np.ndarray],
                    bbox: Sequence[float], num_frames: int,
                    threads: int) -> Dict[str, Any]:
    """Memory of tracking, in a process that does nothing else.

    Args:
        spec (TrackerSpec): The tracker.
        frames (list[np.ndarray]): (H, W, 3) uint8; they are repeated.
        bbox (Sequence[float]): The target in the first frame.
        num_frames (int): Frames to track.
        threads (int): Threads of PyTorch.

    Returns:
        dict: In MB: ``imports_mb`` (libraries and frames), ``weights_mb``
        (parameters and buffers; None in another runtime), ``loaded_mb`` and
        ``peak_mb`` (most while tracking), both on top of ``imports_mb``,
        ``peak_exact`` (whether the peak is that of tracking alone),
        ``growth_mb`` of the second half of the frames, ``frames``; all of
        them the host's. ``gpu_mb`` is the most that PyTorch has taken of a
        GPU, None without one.
    """
    # Not forked: what this process has allocated and freed would be reused.
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        return pool.apply(_tracking_memory,
                          (spec, frames, bbox, num_frames, threads))


def _tracking_memory(spec: TrackerSpec, frames: List[np.ndarray],
                     bbox: Sequence[float], num_frames: int,
                     threads: int) -> Dict[str, Any]:
    torch.set_num_threads(threads)
    imports = rss_mb()
    tracker = spec.build()
    weights = None
    if isinstance(tracker.model, torch.nn.Module):
        tensors = [*tracker.model.parameters(), *tracker.model.buffers()]
        weights = sum(t.numel() * t.element_size() for t in tensors) / 2**20
    loaded = rss_mb() - imports
    exact = reset_peak()
    device = device_of(tracker.model)
    tracker.init(frames[0], bbox)
    half = num_frames // 2
    for index in range(num_frames):
        if index == half:
            middle = rss_mb()
        tracker.update(frames[(index + 1) % len(frames)])
    return dict(
        imports_mb=imports,
        weights_mb=weights,
        loaded_mb=loaded,
        peak_mb=peak_rss_mb() - imports,
        peak_exact=exact,
        growth_mb=rss_mb() - middle,
        gpu_mb=gpu_peak_mb(device),
        frames=num_frames)

