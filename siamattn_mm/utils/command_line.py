"""What the tools' command lines have in common."""
import argparse
import contextlib
import sys
import warnings
from typing import Any, Iterator, NoReturn

from .configs import DEFAULT_CONFIG, find_config, require_config

__all__ = [
    'DEFAULT_CONFIG', 'DEFAULT_RUNTIME', 'Parser', 'add_device_argument',
    'add_model_arguments', 'find_config', 'require_config', 'say_device',
    'warnings_in_one_line'
]

# Of an exported model.
DEFAULT_RUNTIME = 'onnxruntime'


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with code 2.

        Args:
            message (str): What is wrong.
        """
        self.exit(2, f'{self.prog}: error: {message}\n')


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the user choose a model, what runs it, and a device.

    Args:
        parser (argparse.ArgumentParser): Changed in place.
    """
    parser.add_argument(
        '--config',
        default=DEFAULT_CONFIG,
        help='model; also looked for from the top of the repository '
        '(default: %(default)s)')
    parser.add_argument(
        '--checkpoint',
        help='weights, or a model that was exported, NAME.onnx (default: the '
        'weights that ship with the package, if the config names some)')
    # Late: the parser alone is for scripts without PyTorch.
    from siamattn_mm.deploy.runtimes import RUNTIMES
    parser.add_argument(
        '--runtime',
        choices=sorted(RUNTIMES),
        default=DEFAULT_RUNTIME,
        help='what runs an exported model (default: %(default)s)')
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
        # Ours are said whatever else is done with warnings (-W error).
        warnings.filterwarnings(
            'default', category=UserWarning, module='siamattn_mm')
        warnings.showwarning = lambda message, *rest, **more: print(
            f'{prog}: warning: {message}', file=sys.stderr)
        yield
