"""Make a workspace of the VOT toolkit from a folder of sequences.

Example:
    siamattn make-vot-workspace data/sequences work_dirs/vot \\
        --sequences Deer Skiing --frames 40
    vot evaluate --workspace work_dirs/vot siamattn
    vot analysis --workspace work_dirs/vot siamattn
"""
import argparse
import os.path as osp
import sys
from typing import List, Optional, Sequence

from siamattn_mm.evaluation.functional.vot import EAO_INTERVALS
from siamattn_mm.toolkits.vot_trax import REGIONS
from siamattn_mm.toolkits.vot_workspace import TrackerEntry, make_workspace
from siamattn_mm.utils.command_line import (
    DEFAULT_RUNTIME,
    Parser,
    add_model_arguments,
    require_config,
)


def make_parser(prog: str) -> Parser:
    """Make the command line.

    Args:
        prog (str): What messages call the program.

    Returns:
        Parser: Of all arguments.
    """
    parser = Parser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument(
        'data_root',
        help='one folder per sequence: img/*.jpg and groundtruth.txt '
        '(x,y,w,h or the 8 numbers of a polygon)')
    parser.add_argument('workspace', help='the new folder')
    parser.add_argument(
        '--sequences',
        nargs='+',
        metavar='NAME',
        help='names or patterns ("davis-*") of the wanted ones (default: all)')
    parser.add_argument(
        '--frames', type=int, help='only the first frames of each sequence')
    add_model_arguments(parser)
    parser.add_argument(
        '--region',
        choices=REGIONS,
        default='polygon',
        help='what the tracker reports (default: %(default)s)')
    parser.add_argument(
        '--name',
        default='siamattn',
        help='of the tracker in the workspace (default: %(default)s)')
    parser.add_argument(
        '--repetitions',
        type=int,
        default=1,
        help='passes over each sequence; VOT asks for 15 of a stochastic '
        'tracker, SiamAttn is a deterministic one (default: %(default)s)')
    parser.add_argument(
        '--unsupervised',
        action='store_true',
        help='add an experiment without restarts')
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        '--year',
        type=int,
        choices=EAO_INTERVALS,
        help='use the EAO interval of that challenge')
    group.add_argument(
        '--interval',
        type=int,
        nargs=2,
        metavar=('LOW', 'HIGH'),
        help='EAO interval in frames (default: the middle half of the '
        'sequences\' lengths)')
    return parser


def tracker_command(args: argparse.Namespace) -> List[str]:
    """Say how the toolkit starts the tracker, from whichever folder.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        list[str]: Program and arguments, with absolute paths.

    Raises:
        FileNotFoundError: If config or checkpoint do not exist.
    """
    config = require_config(args.config)
    if args.checkpoint and not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'{args.checkpoint!r} does not exist')
    command = [
        sys.executable, '-m', 'siamattn_cli', 'vot-tracker', '--config',
        osp.abspath(config), '--region', args.region
    ]
    if args.device is not None:
        command += ['--device', args.device]
    if args.checkpoint is not None:
        command += ['--checkpoint', osp.abspath(args.checkpoint)]
    if args.runtime != DEFAULT_RUNTIME:
        command += ['--runtime', args.runtime]
    return command


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn make-vot-workspace') -> int:
    """Make it, and say how to go on.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    interval = EAO_INTERVALS[args.year] if args.year else args.interval
    try:
        names = make_workspace(
            args.data_root,
            args.workspace,
            TrackerEntry(tracker_command(args), args.name),
            sequences=args.sequences,
            num_frames=args.frames,
            interval=interval,
            repetitions=args.repetitions,
            unsupervised=args.unsupervised)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(f'{args.workspace}: {len(names)} sequences. Now run:\n'
          f'  vot evaluate --workspace {args.workspace} {args.name}\n'
          f'  vot analysis --workspace {args.workspace} {args.name}')
    return 0
