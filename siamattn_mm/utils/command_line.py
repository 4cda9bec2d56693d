"""What the tools' command lines have in common."""
import argparse
import contextlib
import sys
import warnings
from typing import Any, Iterator, NoReturn

from .configs import ROOT, find_config

__all__ = [
    'DEFAULT_CONFIG', 'Parser', 'ROOT', 'add_device_argument',
    'add_model_arguments', 'find_config', 'say_device',
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
    add_device_argument(parser)


def add_device_argument(parser: Any) -> None:
    """Let the user choose a device.

    Args:
        parser (argparse.ArgumentParser): Or a group of one; changed in place.
    """
    parser.add_argument(
        '--device',
        help='cpu, cuda, cuda:1... (default: the GPU where PyTorch sees one '
        'that works, else the CPU)')


def say_device(model: Any, file: Any = None) -> None:
    """Print what a model computes on.

    Args:
        model (nn.Module): Without weights, it is an exported one, which the
            CPU runs.
        file (Any): Defaults to None: stdout.
    """
    # Late: whoever asks for help does not wait for PyTorch.
    from .devices import describe_device, device_of
    print(
        'device:', describe_device(device_of(model)), file=file, flush=True)


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
