"""Track objects in a video and show them.

Example:
    siamattn track VIDEO --checkpoint F --box X Y W H --out outputs/mine
"""
import argparse
import contextlib
import math
import operator
import os.path as osp
import time
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
)

import numpy as np
from rich import progress
from rich.console import Console
from rich.text import Text

from siamattn_mm import apis, visualization
from siamattn_mm.apis import result_files
from siamattn_mm.apis.tracker import check_bbox
from siamattn_mm.deploy import is_exported
from siamattn_mm.utils.command_line import (
    Parser,
    add_model_arguments,
    find_config,
    say_device,
    warnings_in_one_line,
)
from siamattn_mm.utils.files import check_writable
from siamattn_mm.utils.images import write_image
from siamattn_mm.visualization.attention_view import AttentionView
from siamattn_mm.visualization.targets import draw_targets

STRIP_TILES = 8
FILES = ('result.mp4', 'results.csv', 'results.json', 'first.png',
         'strip.png', 'attention.png')


def make_parser(prog: str) -> Parser:
    """Make the command line.

    Args:
        prog (str): What messages call the program.

    Returns:
        Parser: Of all arguments.
    """
    parser = Parser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument(
        'source',
        help='video file, folder of images, number or device file of a '
        'camera, or address of a stream, rtsp:// or http:// (Ctrl-C ends '
        'these)')
    add_model_arguments(parser)
    parser.add_argument(
        '--box',
        type=float,
        nargs='+',
        action='append',
        metavar='N',
        help='the target in the first frame: x y width height in pixels, or '
        'the 8 numbers of a polygon; left out, it is drawn with the mouse. '
        'Once for each of several targets, whose ids are 1, 2, ...')
    parser.add_argument(
        '--start', type=int, default=0, help='first frame, counted from 0')
    parser.add_argument(
        '--end', type=int, help='the frame behind the last one')
    parser.add_argument(
        '--value-range',
        type=float,
        nargs=2,
        metavar=('LOW', 'HIGH'),
        help='of pixels of more than 8 bits, as of thermal cameras: what '
        'becomes black and white (default: chosen by the first frame)')
    parser.add_argument(
        '--out', default='outputs/demo', help='folder (default: %(default)s)')
    parser.add_argument(
        '--no-video', action='store_true', help='write no result.mp4')
    parser.add_argument(
        '--attention',
        action='store_true',
        help='draw the neck\'s spatial attention and the head\'s score maps '
        'beside the frames, in result.mp4 and attention.png (slower; not of '
        'an exported model)')
    return parser


class SpeedColumn(progress.ProgressColumn):
    """Frames a second."""

    def render(self, task: progress.Task) -> Text:
        """Draw the speed.

        Args:
            task (progress.Task): Counts frames.

        Returns:
            Text: Empty before it is known.
        """
        speed = task.finished_speed or task.speed
        return Text('' if speed is None else f'{speed:.1f} frames/s')


class Tracked(NamedTuple):
    """What tracking a video gave.

    Attributes:
        records (list[FrameRecord]): One per frame and target.
        frames (int): That were tracked.
        first (np.ndarray): The first frame with the given boxes.
        picks (EvenPicks): Frames for the strip.
        maps (EvenPicks, optional): Frames with attention maps.
        seconds (float): That the tracker took for all frames but the first.
        broken (FrameError, optional): Why it ended before its end.
    """
    records: List[result_files.FrameRecord]
    frames: int
    first: np.ndarray
    picks: visualization.EvenPicks
    maps: Optional[visualization.EvenPicks]
    seconds: float
    broken: Optional[apis.FrameError]


def load_tracker(args: argparse.Namespace, prog: str) -> apis.Tracker:
    """Build the tracker; what it warns of becomes one line each.

    Args:
        args (argparse.Namespace): Of the command line.
        prog (str): What messages call the program.

    Returns:
        Tracker: Ready for its targets.

    Raises:
        ValueError: As :func:`siamattn_mm.apis.init_tracker`.
    """
    with warnings_in_one_line(prog):
        tracker = apis.init_tracker(
            find_config(args.config), args.checkpoint, args.device,
            args.runtime)
    say_device(tracker.model)
    return tracker


def box_by_mouse(frame: np.ndarray) -> List[float]:
    """Let the user draw the target.

    Args:
        frame (np.ndarray): (H, W, 3) uint8, BGR.

    Returns:
        list[float]: x, y, w, h in pixels.

    Raises:
        ValueError: If nothing was drawn, or there is no screen.
    """
    from siamattn_mm.visualization.select_box import select_box
    try:
        return list(select_box(frame))
    except ValueError as error:
        raise ValueError(f'{error}; give the target with --box X Y W H'
                         ) from error


def start(tracker: apis.Tracker, frame: np.ndarray,
          boxes: Sequence[Sequence[float]]) -> None:
    """Give the tracker one target, or several.

    Args:
        tracker (Tracker): Without a target yet.
        frame (np.ndarray): (H, W, 3) uint8, BGR.
        boxes (Sequence[Sequence[float]]): x, y, w, h in pixels each, or the 8
            numbers of a polygon.
    """
    if len(boxes) == 1:
        tracker.init(frame, boxes[0])
        return
    for box in boxes:
        tracker.add(frame, box)


def find(tracker: apis.Tracker, frame: np.ndarray) -> Dict[int, apis.Result]:
    """Find all targets in the next frame.

    Args:
        tracker (Tracker): With its targets.
        frame (np.ndarray): (H, W, 3) uint8, BGR.

    Returns:
        dict[int, Result]: By id; a single target's is 1.
    """
    found = tracker.update(frame)
    return found if isinstance(found, dict) else {1: found}


def track(tracker: apis.Tracker, frames: apis.Frames,
          rest: Iterator[np.ndarray], first: np.ndarray,
          given: Dict[int, apis.Result], write: Callable[[np.ndarray], None],
          view: Optional[AttentionView]) -> Tracked:
    """Track to the end.

    Args:
        tracker (Tracker): Initialised with the first frame.
        frames (Frames): The source.
        rest (Iterator[np.ndarray]): Its frames behind the first.
        first (np.ndarray): (H, W, 3) uint8, BGR.
        given (dict[int, Result]): What the user said about the first frame,
            by target.
        write (Callable): Takes each frame with its results drawn.
        view (AttentionView, optional): Puts maps of a single target beside
            the frames.

    Returns:
        Tracked: Records and pictures; with ``broken``, those up to there.
    """
    total = operator.length_hint(frames, 0) or None  # None: a camera
    picks, seconds = visualization.EvenPicks(STRIP_TILES), 0.
    broken = None
    records: List[result_files.FrameRecord] = []
    count = 0

    def note(index: int, drawn: np.ndarray,
             results: Dict[int, apis.Result]) -> None:
        nonlocal count
        count += 1
        caption = f'frame {index}'
        picks.add(drawn, caption)
        write(drawn if view is None else
              view.add(drawn, results[1].bbox, caption))
        records.extend(
            result_files.record_of(index, result, target)
            for target, result in results.items())

    first = draw_targets(first, given, 'given')
    note(frames.start, first, given)
    with progress.Progress(
            progress.TextColumn('tracking'),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            SpeedColumn(),
            progress.TextColumn('remaining'),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True)) as bar:
        task = bar.add_task('', total=total, completed=1)
        try:
            for index, frame in enumerate(rest, frames.start + 1):
                began = time.perf_counter()
                results = find(tracker, frame)
                seconds += time.perf_counter() - began
                note(index, draw_targets(frame, results), results)
                bar.advance(task)
        except apis.FrameError as error:
            # What was tracked so far is worth keeping.
            broken = error
        except KeyboardInterrupt:
            if total is not None:
                raise
    maps = None if view is None else view.picks
    return Tracked(records, count, first, picks, maps, seconds, broken)


def write_results(args: argparse.Namespace, frames: apis.Frames,
                  tracked: Tracked) -> List[str]:
    """Write everything but the video.

    Args:
        args (argparse.Namespace): Of the command line.
        frames (Frames): The source.
        tracked (Tracked): What came of it.

    Returns:
        list[str]: The files' names.

    Raises:
        OSError: If a file cannot be written.
    """
    header = dict(
        source=args.source,
        config=args.config,
        checkpoint=args.checkpoint,
        fps=frames.fps,
        size=list(frames.size),
        value_range=frames.value_range)
    result_files.write_csv(osp.join(args.out, 'results.csv'), tracked.records)
    result_files.write_json(
        osp.join(args.out, 'results.json'), header, tracked.records)
    write_image(osp.join(args.out, 'first.png'), tracked.first)
    write_image(
        osp.join(args.out, 'strip.png'),
        visualization.make_strip(tracked.picks.tiles))
    names = ['results.csv', 'results.json', 'first.png', 'strip.png']
    if tracked.maps is not None and tracked.maps.tiles:
        names.append('attention.png')
        write_image(
            osp.join(args.out, names[-1]),
            visualization.make_strip(tracked.maps.tiles, columns=1))
    return names


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn track') -> int:
    """Track, and say where the results are.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0. A source that breaks off on the way exits with 1,
        and what was tracked is kept.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    # Only what the user can mend ends without a traceback.
    try:
        if args.attention and args.checkpoint and is_exported(
                args.checkpoint):
            raise ValueError(
                '--attention draws what PyTorch computes, but '
                f'{args.checkpoint!r} is an exported model: give the weights '
                'that it was made of, or leave --attention out')
        with warnings_in_one_line(parser.prog):
            frames = apis.open_frames(args.source, args.start, args.end,
                                      args.value_range)
        rest = iter(frames)
        first = next(rest)
        for box in args.box or ():
            check_bbox(box, first.shape)
        if args.attention and len(args.box or ()) > 1:
            raise ValueError('--attention draws what the network sees of one '
                             f'target, but got {len(args.box)} times --box')
        tracker = load_tracker(args, parser.prog)
        boxes = args.box or [box_by_mouse(first)]
        given = {
            target: apis.Result(
                check_bbox(box, first.shape), math.nan, None,
                np.reshape(box, (4, 2)) if len(box) == 8 else None)
            for target, box in enumerate(boxes, 1)
        }
        # Not after minutes of tracking.
        for name in FILES:
            check_writable(osp.join(args.out, name))
    except (ValueError, TypeError, OSError) as error:
        parser.error(str(error))
    began = time.perf_counter()
    start(tracker, first, boxes)
    names = []
    try:
        with contextlib.ExitStack() as stack:
            write: Callable[[np.ndarray], None] = _ignore
            view = None
            if args.attention:
                view = AttentionView(tracker.model, tracker.session,
                                     frames.size)
                stack.enter_context(view.probe)
            if not args.no_video:
                names = ['result.mp4']
                write = stack.enter_context(
                    visualization.written_video(
                        osp.join(args.out, names[0]),
                        frames.size if view is None else view.size,
                        frames.fps))
            tracked = track(tracker, frames, rest, first, given, write, view)
        names += write_results(args, frames, tracked)
    except (apis.FrameError, OSError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, f'{parser.prog}: interrupted, nothing was written\n')
    count = tracked.frames
    speed = f'{count / (time.perf_counter() - began):.1f} frames a second'
    if count > 1:
        speed += f' (the tracker alone: {(count - 1) / tracked.seconds:.1f})'
    if frames.value_range is not None:
        low, high = frames.value_range
        print(f'pixels of more than 8 bits: {low:g} became black and {high:g} '
              'white in all frames; --value-range chooses others')
    # A name that is no UTF-8 cannot be printed as it is.
    out = args.out.encode('utf-8', 'replace').decode()
    print(f'{out}: {count} frames in {", ".join(names)}; {speed}')
    if tracked.broken is not None:
        parser.exit(1, f'{parser.prog}: error: {tracked.broken}; what was '
                    'tracked up to there is kept\n')
    return 0


def _ignore(frame: np.ndarray) -> None:
    """Write no video."""
