"""Measure time, arithmetic and memory on this machine.

Examples:
    python tools/benchmark.py CONFIG                      # time of a frame
    python tools/benchmark.py CONFIG --compare CONFIG2    # two, in turn
    python tools/benchmark.py --train-step CONFIG         # of training
    python tools/benchmark.py --train-step CONFIG --targets
    python tools/benchmark.py CONFIG --busy               # beside busy ones
    python tools/benchmark.py --pipeline DATA_ROOT        # training pairs
    python tools/benchmark.py --data-memory               # of annotations
    python tools/benchmark.py --peers DATA_ROOT           # OpenCV's trackers
"""
import argparse
import functools
import json
import os.path as osp
from itertools import islice
from typing import Any, Dict, List, Tuple

import cv2
import torch
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from rich import progress
from rich.console import Console

from siamattn_mm import apis, benchmark, datasets
from siamattn_mm.apis.tracker import check_bbox
from siamattn_mm.benchmark import (
    busy,
    data_memory,
    peers,
    pipelines,
    tables,
    target_race,
    train_step,
)
from siamattn_mm.benchmark import frame as frame_benchmark
from siamattn_mm.benchmark.peer_site import peer_site, read_requirement
from siamattn_mm.benchmark.peer_worker import TRACKERS
from siamattn_mm.benchmark.synthetic_video import synthetic_video
from siamattn_mm.deploy.runtimes import RUNTIMES
from siamattn_mm.utils import written_whole
from siamattn_mm.utils.command_line import (
    ROOT,
    Parser,
    add_device_argument,
    find_config,
    say_device,
)
from siamattn_mm.utils.devices import check_device, describe_device
from siamattn_mm.utils.files import check_writable
from siamattn_mm.utils.openmp import usable_cores

MIN_SIDE = 16
PIPELINE_BATCH = 8


def make_parser() -> Parser:
    """The command line."""
    parser = Parser(
        prog='benchmark.py',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'config', nargs='?', help='config whose tracker is timed')
    parser.add_argument(
        '--train-step',
        metavar='CONFIG',
        help='time and memory of a training step, stage by stage, of batches '
        'made by rule')
    parser.add_argument(
        '--pipeline',
        metavar='DATA_ROOT',
        help='pairs a second of the training pipeline, beside mmtrack\'s, on '
        'a folder of sequences')
    parser.add_argument(
        '--data-memory',
        action='store_true',
        help='memory of the annotations, with and without workers')
    parser.add_argument(
        '--peers',
        metavar='DATA_ROOT',
        help='success, precision and speed of OpenCV\'s trackers on a folder '
        'of sequences')
    parser.add_argument('--json', metavar='FILE', help='write all figures')
    parser.add_argument(
        '--threads', type=_positive, help='of PyTorch and OpenCV')
    parser.add_argument(
        '--runs', type=_positive,
        help='of each contender, in turn (default: 7; 3 of a training step)')
    parser.add_argument(
        '--sequences',
        nargs='+',
        metavar='NAME',
        help='names or patterns of the sequences to use')

    group = parser.add_argument_group('time of a frame')
    group.add_argument('--checkpoint', help='weights')
    group.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
        help='change the config')
    group.add_argument(
        '--compare', nargs='?', const='', metavar='CONFIG',
        help='time a second tracker in turn with the first; without a value, '
        'of the same config (see the next two flags)')
    group.add_argument(
        '--compare-checkpoint', metavar='FILE',
        help='weights of the second tracker (default: those of the first)')
    group.add_argument(
        '--compare-options', nargs='+', action=DictAction,
        metavar='KEY=VALUE', help='change the second tracker\'s config')
    group.add_argument(
        '--runtime', choices=sorted(RUNTIMES), default='onnxruntime',
        help='of an exported checkpoint (default: %(default)s)')
    group.add_argument(
        '--compare-runtime', choices=sorted(RUNTIMES),
        help='of the second tracker (default: that of the first)')
    group.add_argument(
        '--busy', type=_positive, nargs='*', metavar='N',
        help='only the whole frame, in turn quietly and beside N processes '
        'that never wait (default: 1 2)')
    add_device_argument(group)
    group.add_argument(
        '--video', help='video file, or folder of images; synthetic if left '
        'out. A folder with a groundtruth.txt needs no --box')
    group.add_argument(
        '--box', type=float, nargs='+', metavar='N',
        help='the target in the video\'s first frame: x y width height')
    group.add_argument(
        '--size', type=_size, default=(480, 270), metavar='WxH',
        help='of synthetic frames (default: 480x270)')
    group.add_argument(
        '--frames', type=_positive, default=20,
        help='in a run (default: %(default)s)')
    group.add_argument(
        '--memory-frames', type=_count, default=50, metavar='N',
        help='frames to track for the memory; 0 leaves it out (default: '
        '%(default)s)')

    group = parser.add_argument_group(
        'a training step, beside --device and --cfg-options')
    group.add_argument(
        '--batch-size', type=_positive, metavar='N',
        help='pairs, of --pipeline too (default: the config\'s; 8)')
    group.add_argument(
        '--steps', type=_positive, default=5, metavar='N',
        help='in a run (default: %(default)s)')
    group.add_argument(
        '--amp', nargs='?', const='auto',
        choices=['auto', 'bfloat16', 'float16'],
        help='mixed precision, as of tools/train.py --amp (default: %(const)s,'
        ' the device\'s own type)')
    group.add_argument(
        '--targets', nargs='?', type=_positive, const=64, metavar='PAIRS',
        help='compare the targets and RoIs of a whole batch with loops over '
        'its images instead (%(const)s pairs)')

    group = parser.add_argument_group('training pairs, and their memory')
    group.add_argument(
        '--workers', type=_count, nargs='+', metavar='N',
        help='worker processes, one measurement each; 0 for none (default: 1 '
        'and as many as cores for --pipeline, 0 2 4 for --data-memory, the '
        'config\'s for --train-step)')
    group.add_argument(
        '--ours-alone', action='store_true',
        help='leave mmtrack\'s pipeline out of --pipeline')
    group.add_argument(
        '--annotated-frames', type=_positive, default=1000000, metavar='N',
        help='in the fake data set of --data-memory (default: %(default)s)')

    group = parser.add_argument_group('OpenCV\'s trackers')
    group.add_argument(
        '--trackers', nargs='+', choices=sorted(TRACKERS),
        help='default: csrt kcf, and nano if its models are given')
    group.add_argument(
        '--out', default='outputs/peers',
        help='folder of the result files (default: %(default)s)')
    for key in TRACKERS['nano'][1]:
        group.add_argument(
            f'--nano-{key}', metavar='FILE', help=f'NanoTrack\'s {key}, ONNX')
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not 0 or more')
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not 1 or more')
    return int(text)


def _size(text: str) -> Tuple[int, int]:
    width, _, height = text.lower().partition('x')
    if not (width.isdecimal() and height.isdecimal()
            and min(int(width), int(height)) >= MIN_SIDE):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not WIDTHxHEIGHT, {MIN_SIDE} or more each')
    return int(width), int(height)


def check_mode(parser: Parser, args: argparse.Namespace) -> str:
    """Which of the measurements is asked for."""
    modes = [
        name for name in ('config', 'train_step', 'pipeline', 'data_memory',
                          'peers') if getattr(args, name)
    ]
    if len(modes) != 1:
        flags = 'CONFIG, --train-step, --pipeline, --data-memory and --peers'
        parser.error(f'give one of {flags}' +
                     (', not several' if modes else ''))
    if args.runs is None:
        args.runs = 3 if modes == ['train_step'] else 7
    return modes[0]


def progress_bar(console: Console) -> progress.Progress:
    """As the other tools have it."""
    return progress.Progress(
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn('remaining'),
        progress.TimeRemainingColumn(),
        console=console)


def read_frames(args: argparse.Namespace) -> Tuple[List[Any], List[float]]:
    """The frames of a run, and the target in the first one."""
    if args.video is None:
        if args.box is not None:
            raise ValueError('--box is for a --video')
        return synthetic_video(*args.size, args.frames)
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
    """The tracker, and the one to compare it with."""
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


def run_frame(args: argparse.Namespace, console: Console) -> Dict[str, Any]:
    """Time, arithmetic and memory of one tracker or two."""
    specs = tracker_specs(args)
    if args.busy is not None and len(specs) > 1:
        raise ValueError('--busy times one tracker: leave out --compare...')
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
    if args.memory_frames > 0:
        report['memory'] = {}
        with progress_bar(Console(stderr=True)) as bar:
            for spec in bar.track(specs, description='memory'):
                report['memory'][spec.name] = frame_benchmark.tracking_memory(
                    spec, frames, box, args.memory_frames,
                    torch.get_num_threads())
        console.print(tables.memory_table(report['memory']))
    return report


def run_train_step(args: argparse.Namespace,
                   console: Console) -> Dict[str, Any]:
    """A training step, or its targets and RoIs alone."""
    init_default_scope('mmtrack')
    device = check_device(args.device)
    console.print(f'device: {describe_device(device)}', soft_wrap=True)
    step = train_step.TrainStep(
        train_step.StepSpec(
            find_config(args.train_step), args.cfg_options, str(device),
            args.amp, args.batch_size))
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task('runs', total=args.runs + 1)
        advance = functools.partial(bar.advance, task)
        if args.targets is not None:
            report = target_race.race(step.model, args.targets, args.runs,
                                      advance)
        else:
            report = train_step.measure_train_step(step, args.steps,
                                                   args.runs, advance)
    if args.targets is not None:
        console.print(tables.target_table(report))
        return dict(targets=report)
    with Console(stderr=True).status('data'):
        workers = args.workers[0] if args.workers else None
        report['data'] = train_step.measure_data(step.config, args.steps,
                                                 workers)
    console.print(tables.train_step_table(report))
    if 'left_out' in report['data']:
        console.print(f'data left out: {report["data"]["left_out"]}',
                      soft_wrap=True)
    return dict(train_step=report)


def run_busy(args: argparse.Namespace, console: Console, tracker: Any,
             frames: List[Any], box: List[float]) -> Dict[str, Any]:
    """Time of a frame beside spinning processes."""
    numbers = args.busy or [1, 2]
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task('runs', total=args.runs * (1 + len(numbers)))
        found = busy.measure_busy(tracker, frames, box, args.runs, numbers,
                                  functools.partial(bar.advance, task))
    console.print(tables.busy_table(found))
    return dict(busy=found, frames=len(frames), runs=args.runs)


def run_pipeline(args: argparse.Namespace,
                 console: Console) -> Dict[str, Any]:
    """Training pairs a second."""
    init_default_scope('mmtrack')
    report = []
    cores = usable_cores()
    numbers = args.workers or sorted({1, cores})
    built = pipelines.build_datasets(args.pipeline, args.sequences)
    if args.ours_alone:
        del built['mmtrack']
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task(
            'runs', total=len(built) * (args.runs + 1) * len(numbers))
        for workers in numbers:
            report.append(
                pipelines.measure_pipelines(
                    built,
                    workers,
                    args.runs,
                    args.batch_size or PIPELINE_BATCH,
                    advance=functools.partial(bar.advance, task)))
    pipelines.add_shares(report, cores)
    for found in report:
        console.print(tables.pipeline_table(found))
    console.print(tables.pipeline_limit_table(report[-1]))
    return dict(pipelines=report)


def run_peers(args: argparse.Namespace, console: Console) -> Dict[str, Any]:
    """OpenCV's trackers."""
    models = {
        key: path
        for key in TRACKERS['nano'][1]
        for path in [getattr(args, f'nano_{key}')] if path is not None
    }
    names = args.trackers or ['csrt', 'kcf'] + ['nano'] * bool(models)
    sequences = [
        datasets.read_sequence(path)
        for path in datasets.find_sequences(args.peers, args.sequences)
    ]
    check_writable(osp.join(args.out, names[0], 'sequence.txt'))
    site = peer_site(
        read_requirement(osp.join(ROOT, 'requirements', 'peers.txt')))
    report: Dict[str, Any] = {}
    for name in names:
        with peers.PeerProcess(name, site, models,
                               torch.get_num_threads()) as peer, \
                progress_bar(Console(stderr=True)) as bar:
            bar.add_task(name, total=sum(map(len, sequences)))
            found = peers.run_peer(
                peer, sequences, osp.join(args.out, name),
                functools.partial(bar.advance, bar.task_ids[0]))
        # A plain table: rich would cut it to the terminal's width.
        print(f'{name}\n{found.table}\n')
        report[name] = dict(mean=found.mean, sequences=found.sequences)
    console.print(
        tables.peers_table({k: v['mean']
                            for k, v in report.items()}))
    print(f'results of each sequence are in {args.out}')
    return dict(peers=report)


def run_data_memory(args: argparse.Namespace,
                    console: Console) -> Dict[str, Any]:
    """Memory of the annotations."""
    with Console(stderr=True).status('reading pairs, some minutes'):
        report = data_memory.measure_data_memory(
            args.annotated_frames,
            workers=(0, 2, 4) if args.workers is None else args.workers)
    for table in tables.data_memory_tables(report):
        console.print(table)
    return report


def main() -> None:
    """Measure, print, write."""
    parser = make_parser()
    args = parser.parse_args()
    mode = check_mode(parser, args)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    console = Console()
    machine = tables.machine()
    console.print(tables.describe_machine(machine), soft_wrap=True)
    run = dict(
        config=run_frame,
        train_step=run_train_step,
        pipeline=run_pipeline,
        data_memory=run_data_memory,
        peers=run_peers)[mode]
    # Only what the user can mend ends without a traceback.
    try:
        if args.json is not None:
            check_writable(args.json)
        report = run(args, console)
    except (benchmark.BenchmarkError, ValueError, TypeError,
            OSError) as error:
        parser.error(str(error).splitlines()[0])
    except KeyboardInterrupt:
        parser.exit(130, f'{parser.prog}: interrupted\n')
    if args.json is not None:
        with written_whole(args.json) as temporary:
            with open(temporary, 'w', encoding='utf-8') as file:
                json.dump(dict(machine=machine, **report), file, indent=2)
        print(args.json)


if __name__ == '__main__':
    main()
