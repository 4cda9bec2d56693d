"""Time, arithmetic and memory of trackers, quietly or beside others."""
import argparse
import functools
from itertools import islice
from typing import Any, Dict, List, Tuple

import torch
from rich.console import Console

from siamattn_mm import apis, datasets
from siamattn_mm.apis.tracker import check_bbox
from siamattn_mm.benchmark import beside_peers, busy, tables
from siamattn_mm.benchmark import frame as frame_benchmark
from siamattn_mm.benchmark.synthetic_video import synthetic_video
from siamattn_mm.utils.command_line import find_config, say_device

from .progress import progress_bar


def read_frames(args: argparse.Namespace) -> Tuple[List[Any], List[float]]:
    """Read the frames of a run, and the target in the first one.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        tuple[list[np.ndarray], list[float]]: Frames, (H, W, 3) uint8, BGR, and
        x, y, w, h in pixels.

    Raises:
        ValueError: If the target is not known, or is given for a synthetic
            video.
        OSError: If the video cannot be read.
    """
    if args.video is None:
        if args.box is not None:
            raise ValueError('--box is for a --video')
        width, height = args.size
        frames, target = synthetic_video(width, height, args.frames)
        return frames, list(target)
    frames = list(islice(apis.open_frames(args.video), args.frames))
    box = args.box
    if box is None:
        try:
            box = datasets.read_sequence(args.video).boxes[0].tolist()
        except datasets.SequenceFolderError as error:
            raise ValueError(f'{args.video!r} says nothing about the target: '
                             'give it with --box X Y W H') from error
    return frames, check_bbox(box, frames[0].shape).tolist()


def tracker_specs(args: argparse.Namespace
                  ) -> List[frame_benchmark.TrackerSpec]:
    """Take the tracker, and the one to compare it with.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        list[TrackerSpec]: One or two.

    Raises:
        ValueError: If --compare says nothing that differs.
    """
    first = frame_benchmark.TrackerSpec(
        find_config(args.config), args.cfg_options, args.checkpoint,
        args.device, args.runtime)
    given = (args.compare, args.compare_checkpoint, args.compare_options,
             args.compare_runtime)
    if all(value is None for value in given):
        return [first]
    if not any(given):
        raise ValueError('--compare needs another config, or '
                         '--compare-options, --compare-checkpoint or '
                         '--compare-runtime')
    second = first
    if args.compare:
        # Another config: neither options nor weights are the first one's.
        second = frame_benchmark.TrackerSpec(
            find_config(args.compare),
            device=args.device,
            runtime=args.runtime)
    options = {**(second.options or {}), **(args.compare_options or {})}
    return [
        first,
        second._replace(
            options=options or None,
            checkpoint=args.compare_checkpoint or second.checkpoint,
            runtime=args.compare_runtime or second.runtime)
    ]


def nano_peers(args: argparse.Namespace) -> Dict[str, Any]:
    """NanoTrack, of the versions whose files are given.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        dict[str, Any]: Trackers by name, maybe none.

    Raises:
        BenchmarkError: If one cannot be had.
        ValueError: If one of two files is missing.
        OSError: If a file is not there.
    """
    peers: Dict[str, Any] = {}
    second = [args.nano_backbone, args.nano_neckhead]
    if any(second):
        if not all(second):
            raise ValueError('--nano-backbone and --nano-neckhead go together')
        peers['NanoTrack v2, OpenCV'] = beside_peers.OpenCVNano(*second)
    if args.nanotrack is not None:
        for name, runtime in (('onnxruntime', 'onnxruntime'),
                              ('OpenCV', 'opencv')):
            peers[f'NanoTrack v3, {name}'] = beside_peers.nanotrack(
                *args.nanotrack, torch.get_num_threads(), runtime)
    return peers


def run_frame(args: argparse.Namespace, console: Console) -> Dict[str, Any]:
    """Measure time, arithmetic and memory of one tracker or two.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.

    Returns:
        dict[str, Any]: All figures, for --json.

    Raises:
        ValueError: If arguments do not go together, or there are too few
            frames.
        OSError: If a file cannot be read.
    """
    specs = tracker_specs(args)
    if args.busy is not None and len(specs) > 1:
        raise ValueError('--busy times one tracker: leave out --compare...')
    peers = nano_peers(args)
    frames, box = read_frames(args)
    # What is measured then is what a user meets.
    choose = args.busy is not None
    trackers = {spec.name: spec.build(choose) for spec in specs}
    say_device(trackers[specs[0].name].model)
    if len(frames) < frame_benchmark.MIN_FRAMES:
        raise ValueError(f'{frame_benchmark.MIN_FRAMES} frames or more are '
                         f'needed, but there are {len(frames)}')
    if args.busy is not None:
        return run_busy(args, console, trackers[specs[0].name], frames, box)
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task('runs', total=args.runs * len(specs))
        report = frame_benchmark.measure(
            trackers, frames, box, args.runs,
            functools.partial(bar.advance, task))
    height, width = frames[0].shape[:2]
    report.update(
        size=[width, height], frames=len(frames), runs=args.runs)
    console.print(f'frames of {width}x{height}; matrix multiplication '
                  f'reaches {report["peak_gflops"]:.0f} GFLOP/s')
    for figures in report['trackers']:
        console.print(tables.frame_table(figures))
    if len(specs) == 2:
        console.print(tables.ratio_table(report))
    if peers:
        with progress_bar(Console(stderr=True)) as bar:
            task = bar.add_task(
                'peers', total=args.runs * (len(specs) + len(peers)))
            report['peers'] = beside_peers.measure_beside(
                trackers, peers, frames, box, args.runs,
                functools.partial(bar.advance, task))
        console.print(tables.beside_peers_table(report['peers']))
    if args.memory_frames > 0:
        report['memory'] = {}
        with progress_bar(Console(stderr=True)) as bar:
            for spec in bar.track(specs, description='memory'):
                report['memory'][spec.name] = frame_benchmark.tracking_memory(
                    spec, frames, box, args.memory_frames,
                    torch.get_num_threads())
        console.print(tables.memory_table(report['memory']))
    return report


def run_busy(args: argparse.Namespace, console: Console, tracker: Any,
             frames: List[Any], box: List[float]) -> Dict[str, Any]:
    """Measure the time of a frame beside spinning processes.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.
        tracker (Tracker): Built.
        frames (list[np.ndarray]): (H, W, 3) uint8, BGR.
        box (list[float]): x, y, w, h in pixels: the target in the first one.

    Returns:
        dict[str, Any]: All figures, for --json.
    """
    numbers = args.busy or [1, 2]
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task('runs', total=args.runs * (1 + len(numbers)))
        found = busy.measure_busy(tracker, frames, box, args.runs, numbers,
                                  functools.partial(bar.advance, task))
    console.print(tables.busy_table(found))
    return dict(busy=found, frames=len(frames), runs=args.runs)
