"""What the tools' command lines have in common."""
import argparse
import contextlib
import sys
import warnings
from typing import Iterator, NoReturn

from .configs import ROOT, find_config

__all__ = [
    'DEFAULT_CONFIG', 'Parser', 'ROOT', 'add_model_arguments', 'find_config',
    'warnings_in_one_line'
]

DEFAULT_CONFIG = 'configs/siamattn/siamattn_mobilenetv2.py'


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with code 2.

        Args:
            message (str): What is wrong.
        """
        self.exit(2, f'{self.prog}: error: {message}\n')


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the user choose a model and a device.

    Args:
        parser (argparse.ArgumentParser): Changed in place.
    """
    parser.add_argument(
        '--config',
        default=DEFAULT_CONFIG,
        help='model; also looked for from the top of the repository '
        '(default: %(default)s)')
    parser.add_argument('--checkpoint', help='weights')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, cuda:1...')


@contextlib.contextmanager
def warnings_in_one_line(prog: str) -> Iterator[None]:
    """Print what is warned of to stderr, a line each.

    Args:
        prog (str): The program's name, put before it.
    """
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *rest, **more: print(
            f'{prog}: warning: {message}', file=sys.stderr)
        yield
