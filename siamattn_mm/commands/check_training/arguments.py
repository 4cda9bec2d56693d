"""The command line of ``siamattn check-training``."""
import argparse
import os.path as osp
import sys
from typing import Any, List, Mapping, NoReturn, Optional, Sequence

from siamattn_mm.utils.config_options import ConfigOptions
from siamattn_mm.utils.configs import did_you_mean, find_config


def parse_args(argv: Optional[Sequence[str]], prog: str,
               description: str) -> argparse.Namespace:
    """Read the command line.

    Args:
        argv (Sequence[str], optional): Arguments; None takes this program's.
        prog (str): What messages call the program.
        description (str): What it does.

    Returns:
        argparse.Namespace: With ``command``, and ``config`` as a path.
    """
    # What errors begin with, here and in what follows.
    sys.argv = [prog, *(sys.argv[1:] if argv is None else argv)]
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    commands.required = True

    resume = commands.add_parser(
        'resume',
        formatter_class=parser.formatter_class,
        help='kill training at random moments, resume it, and compare it with '
        'training that was left alone')
    resume.add_argument('config', help='training config file')
    resume.add_argument(
        '--iterations', type=int, default=12, help='compare after so many')
    resume.add_argument(
        '--interval', type=int, default=3, help='iterations per checkpoint')
    resume.add_argument('--kills', type=int, default=1, help='how often')
    resume.add_argument(
        '--seed', type=int, default=0, help='of the moments of the kills')

    gradients = commands.add_parser(
        'gradients',
        formatter_class=parser.formatter_class,
        help='compare the gradients of several processes with those of one '
        'that has the whole batch')
    gradients.add_argument('config', help='training config file')
    gradients.add_argument(
        '--processes', type=int, default=2, help='how many')
    gradients.add_argument(
        '--batch-size', type=int, default=4, help='pairs of each process')
    gradients.add_argument(
        '--tolerance',
        type=float,
        default=1e-5,
        help='largest difference that is taken for rounding')
    gradients.add_argument(
        '--precision',
        choices=['double', 'single'],
        default='double',
        help='double shows that what is left in single precision is rounding')
    gradients.add_argument(
        '--sync-bn',
        action='store_true',
        help='norms in training mode, with statistics of all processes (GPUs '
        'only); without it they are in evaluation mode')
    # How the tool calls itself in the processes that it starts.
    gradients.add_argument('--save', help=argparse.SUPPRESS)

    for command in (resume, gradients):
        command.add_argument(
            '--work-dir',
            help='keep checkpoints and logs there; by default in a temporary '
            'folder, which is removed')
        command.add_argument(
            '--cfg-options',
            nargs='+',
            action=ConfigOptions,
            help='as for siamattn train')
    args = parser.parse_args()
    args.config = find_config(args.config)
    if not osp.isfile(args.config):
        fail(f'config {args.config!r} is not a file'
             f'{did_you_mean(args.config)}')
    for name in ('iterations', 'interval', 'processes', 'batch_size'):
        if getattr(args, name, 1) < 1:
            fail(f'--{name.replace("_", "-")} must be 1 or more')
    if args.command == 'resume':
        saved = args.iterations // args.interval
        if args.iterations % args.interval or saved < 3:
            fail('--iterations must be a multiple of --interval, three times '
                 'it or more')
        if not 0 <= args.kills <= saved - 2:
            fail(f'--kills must be in [0, {saved - 2}]: there are {saved} '
                 'checkpoints, and the last two come after the kills')
    return args


def fail(message: str) -> NoReturn:
    """Say what is wrong, and exit with code 2.

    Args:
        message (str): One line.
    """
    print(f'{sys.argv[0]}: error: {message}', file=sys.stderr)
    sys.exit(2)


def as_options(options: Mapping[str, Any]) -> List[str]:
    """``--cfg-options`` for a process that is started.

    Args:
        options (Mapping[str, Any]): New values by key; may be empty.

    Returns:
        list[str]: Arguments.
    """
    if not options:
        return []
    return ['--cfg-options'] + [
        f'{key}={_option(value)}' for key, value in options.items()
    ]


def _option(value: Any) -> str:
    return value if isinstance(value, str) else repr(value).replace(' ', '')
