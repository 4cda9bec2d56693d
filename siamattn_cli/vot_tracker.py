"""A tracker for the VOT toolkit: talks TraX on standard input and output.

The toolkit starts it, by a ``trackers.ini`` such as
``siamattn make-vot-workspace`` writes:

    [siamattn]
    protocol = trax
    command = PYTHON -m siamattn_cli vot-tracker --region polygon
"""
import argparse
import os.path as osp
import sys
from typing import Any, NoReturn, Optional, Sequence

from .library import names_of

# The toolkit gives a tracker 30 seconds to say hello, which importing PyTorch
# may take on a busy machine: that comes after the hello. Until then, nothing
# of siamattn_mm is imported, so that these stand here again.
DEFAULT_CONFIG = 'configs/siamattn/siamattn_mobilenetv2.py'
REGIONS = ('box', 'polygon', 'mask')
RUNTIMES = ('onnxruntime', 'openvino')


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Say it, and exit with code 2.

        Args:
            message (str): What is wrong.
        """
        self.exit(2, f'{self.prog}: error: {message}\n')


def make_parser(prog: str) -> Parser:
    """Make the command line.

    Args:
        prog (str): What messages call the program.

    Returns:
        Parser: Of all arguments.
    """
    parser = Parser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument(
        '--config',
        default=DEFAULT_CONFIG,
        help='model; also looked for from the top of the repository '
        '(default: %(default)s)')
    parser.add_argument(
        '--checkpoint',
        help='weights, or a model that was exported, NAME.onnx')
    parser.add_argument(
        '--runtime',
        choices=RUNTIMES,
        default=RUNTIMES[0],
        help='what runs an exported model (default: %(default)s)')
    parser.add_argument(
        '--region',
        choices=REGIONS,
        default='polygon',
        help='what is reported: the upright box, the rotated box of the mask, '
        'or the mask (default: %(default)s)')
    parser.add_argument(
        '--device',
        help='cpu, cuda, cuda:1... (default: the GPU where PyTorch sees one '
        'that works, else the CPU)')
    parser.add_argument(
        '--threads',
        type=int,
        help='threads of PyTorch on the CPU (default: as many as cores)')
    return parser


def say_hello(parser: argparse.ArgumentParser) -> Any:
    """Connect to the toolkit.

    Args:
        parser (argparse.ArgumentParser): Says what is wrong, and exits with
            code 2.

    Returns:
        trax.server.Server: Connected.
    """
    try:
        from trax import TraxException
        from trax.image import Image
        from trax.region import Region
        from trax.server import Server
    except ImportError as error:
        parser.error(f'{error}: install the VOT toolkit with '
                     '`bash tools/setup.sh --with eval`')
    try:
        return Server([Region.RECTANGLE, Region.POLYGON, Region.MASK],
                      [Image.PATH],
                      tracker_name='SiamAttn')
    except TraxException as error:
        parser.error(f'no VOT toolkit talks to this: {error}')


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn vot-tracker') -> int:
    """Serve until the toolkit quits.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call it.
            Defaults to 'siamattn vot-tracker'.

    Returns:
        int: 0.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    if args.threads is not None and args.threads < 1:
        parser.error('--threads must be at least 1')
    try:
        config = names_of('utils', 'configs.py')['require_config'](args.config)
    except FileNotFoundError as error:
        parser.error(str(error))
    if args.checkpoint and not osp.isfile(args.checkpoint):
        parser.error(f'{args.checkpoint!r} does not exist')
    server = say_hello(parser)
    try:
        count = load_and_serve(server, args, config)
    except Exception as error:
        # The toolkit puts the reason in its log, and this traceback too.
        server.quit(reason=str(error))
        raise
    server.quit()
    print(f'{parser.prog}: {count} frames answered', file=sys.stderr)
    return 0


def load_and_serve(server: Any, args: argparse.Namespace, config: str) -> int:
    """Do everything that needs PyTorch.

    Args:
        server (trax.server.Server): Connected.
        args (argparse.Namespace): Of the command line.
        config (str): The config's path.

    Returns:
        int: How many frames were answered.
    """
    import torch

    from siamattn_mm.apis import init_tracker
    from siamattn_mm.toolkits.vot_trax import serve
    from siamattn_mm.utils.command_line import say_device
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    # Of a benchmark, the same digits at each run.
    tracker = init_tracker(
        config,
        args.checkpoint,
        args.device,
        args.runtime,
        choose_threads=False)
    say_device(tracker.model, sys.stderr)
    return serve(server, tracker, args.region)
