"""The command line of ``siamattn benchmark``."""
import argparse
from typing import Tuple

from siamattn_mm.benchmark.peer_worker import TRACKERS
from siamattn_mm.deploy.runtimes import RUNTIMES
from siamattn_mm.utils.command_line import Parser, add_device_argument
from siamattn_mm.utils.config_options import ConfigOptions

MIN_SIDE = 16


def make_parser(prog: str, description: str) -> Parser:
    """The command line.

    Args:
        prog (str): What messages call the program.
        description (str): What it does, with examples.

    Returns:
        Parser: For :func:`check_mode` to look at what it found.
    """
    parser = Parser(
        prog=prog,
        description=description,
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
        '--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE',
        help='change the config')
    group.add_argument(
        '--compare', nargs='?', const='', metavar='CONFIG',
        help='time a second tracker in turn with the first; without a value, '
        'of the same config (see the next two flags)')
    group.add_argument(
        '--compare-checkpoint', metavar='FILE',
        help='weights of the second tracker (default: those of the first)')
    group.add_argument(
        '--compare-options', nargs='+', action=ConfigOptions,
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
    group.add_argument(
        '--nanotrack', nargs=2, metavar=('BACKBONE', 'HEAD'),
        help='then time NanoTrack v3 in turn with the trackers, whose two '
        'ONNX files these are, by onnxruntime and by OpenCV; --nano-backbone '
        'and --nano-neckhead add version 2')
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
        help='mixed precision, as of siamattn train --amp (default: %(const)s,'
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
            f'--nano-{key}', metavar='FILE',
            help=f'NanoTrack v2\'s {key}, ONNX; beside CONFIG, too')
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
    """Find out which of the measurements is asked for.

    Args:
        parser (Parser): Says what is wrong, and exits with code 2.
        args (argparse.Namespace): Of the command line; ``runs`` is filled in.

    Returns:
        str: Name of the argument: ``config``, ``train_step``, ``pipeline``,
        ``data_memory`` or ``peers``.
    """
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
