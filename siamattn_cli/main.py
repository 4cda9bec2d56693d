"""``siamattn COMMAND ...``: which commands there are, and starting one."""
import difflib
import importlib
import os
import sys
from typing import Dict, NamedTuple, Optional, Sequence

from .library import names_of

PROG = 'siamattn'


class Command(NamedTuple):
    """A command.

    Attributes:
        module (str): Its module, whose ``main(argv, prog)`` gives the exit
            code.
        summary (str): What it does, in one line.
    """
    module: str
    summary: str


def _ours(name: str, summary: str) -> Command:
    return Command(f'siamattn_mm.commands.{name}', summary)


# By what users do: track, evaluate, train, convert, measure.
COMMANDS: Dict[str, Command] = {
    'track': _ours('track', 'track objects in a video, and draw them'),
    'export': _ours('export', 'write a tracker\'s network as ONNX files'),
    'test': _ours('test', 'track a data set and score it: mmtrack\'s test.py'),
    'evaluate-starts': _ours(
        'evaluate_starts', 'track sequences from several starts, with '
        'standard errors'),
    'report': _ours('report', 'compare result folders on one HTML page'),
    'make-submission': _ours(
        'make_submission', 'make the file that a benchmark\'s server takes'),
    'make-vot-workspace': _ours(
        'make_vot_workspace', 'make a workspace of the VOT toolkit'),
    'vot-tracker': Command(
        'siamattn_cli.vot_tracker', 'what the VOT toolkit starts: talks TraX'),
    'train': _ours('train', 'train a model: mmtrack\'s train.py'),
    'browse-dataset': _ours(
        'browse_dataset', 'draw training pairs as a model gets them'),
    'make-cutouts': _ours(
        'make_cutouts', 'make a training set of cut-outs from PNG files'),
    'check-training': _ours(
        'check_training', 'show that training can be killed, and spread over '
        'processes'),
    'search': _ours(
        'search', 'search a config\'s tracking parameters on a data set'),
    'convert-checkpoint': _ours(
        'convert_checkpoint', 'convert other code bases\' checkpoints'),
    'convert-mobilenetv2': _ours(
        'convert_mobilenetv2', 'get MobileNetV2\'s ImageNet weights'),
    'publish-model': _ours(
        'publish_model', 'make a small file of weights from a checkpoint'),
    'benchmark': _ours(
        'benchmark', 'measure time, arithmetic and memory on this machine'),
}


def help_text() -> str:
    """List the commands.

    Returns:
        str: One a line.
    """
    width = max(map(len, COMMANDS))
    lines = [
        f'usage: {PROG} COMMAND [arguments]', '',
        'SiamAttn (CVPR 2020): track objects with a box and a mask each.', '',
        'commands:'
    ]
    lines += [
        f'  {name:<{width}}  {command.summary}'
        for name, command in COMMANDS.items()
    ]
    lines += [
        '', f'{PROG} COMMAND --help says what a command takes; {PROG} '
        '--version, which release this is.'
    ]
    return '\n'.join(lines)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run a command; whoever reads its output may stop.

    Args:
        argv (Sequence[str], optional): The command and its arguments.
            Defaults to None: this program's.

    Returns:
        int: Exit code: 2 if there is no such command, 141 if nobody reads
        its output any more, as for a program that SIGPIPE ends.
    """
    try:
        code = _run(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Python flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(argv: Optional[Sequence[str]]) -> int:
    """Run a command.

    Args:
        argv (Sequence[str], optional): The command and its arguments.
            Defaults to None: this program's.

    Returns:
        int: Exit code: 2 if there is no such command.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ('-h', '--help', 'help'):
        print(help_text(), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    if argv[0] == '--version':
        print('siamattn_mm', names_of('version.py')['__version__'])
        return 0
    name, *rest = argv
    # A module's name is as good.
    found = COMMANDS.get(name.replace('_', '-'))
    if found is None:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f'did you mean {near[0]}? ' if near else ''
        print(f'{PROG}: error: no command {name!r}; {hint}{PROG} --help '
              'lists them', file=sys.stderr)
        return 2
    module = importlib.import_module(found.module)
    return module.main(rest, prog=f'{PROG} {name}')
