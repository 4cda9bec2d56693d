"""Convert other code bases' checkpoints, completely or not at all."""
import argparse
import sys
from typing import Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

# Before mmtrack: it is what makes mmtrack importable.
from siamattn_mm.utils import CheckpointError, load_state_dict
from siamattn_mm.utils.configs import require_config
from siamattn_mm.utils.convert import RULES, convert
from siamattn_mm.utils.files import written_whole

from mmtrack.registry import MODELS  # isort: skip

DEFAULT_CONFIG = 'configs/siamattn/siamattn_r50_released.py'


def parse_args(argv: Optional[Sequence[str]],
               prog: str) -> argparse.Namespace:
    """Read the command line.

    Args:
        argv (Sequence[str], optional): Arguments; None takes this program's.
        prog (str): What messages call the program.

    Returns:
        argparse.Namespace: Checked.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Convert a checkpoint to this project\'s names. A weight '
        'that has no place, another shape or is missing is reported by name, '
        'all of them at once, and then nothing is written.')
    parser.add_argument('src', metavar='SRC', help='checkpoint to read')
    parser.add_argument('dst', metavar='DST', help='checkpoint to write')
    parser.add_argument(
        '--from',
        dest='source',
        required=True,
        choices=sorted(RULES),
        help='siamattn: the released SiamAttn checkpoints; pysot: its '
        'SiamRPN++ with ResNet-50; mmtrack: its SiamRPN. The last two '
        'initialise backbone, neck and RPN head, for training')
    parser.add_argument(
        '--config',
        default=DEFAULT_CONFIG,
        help='model that the weights are for (default: siamattn_r50_released)')
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn convert-checkpoint') -> int:
    """Convert, completely or not at all.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code; 2, with one line on stderr, for what the user can mend.
    """

    def fail(message: str) -> int:
        print(f'{prog}: error: {message}', file=sys.stderr)
        return 2

    args = parse_args(argv, prog)
    try:
        config = Config.fromfile(require_config(args.config))
        init_default_scope('mmtrack')
        model = MODELS.build(config.model)
        converted = convert(
            load_state_dict(args.src), args.source, model.state_dict())
    except FileNotFoundError as error:
        return fail(str(error))
    except CheckpointError as error:
        return fail(f'{args.src}: {error}')
    with written_whole(args.dst) as temporary:
        torch.save(
            dict(
                meta=dict(converted_from=args.source),
                state_dict=converted.state_dict), temporary)
    print(f'{args.dst}: {len(converted.state_dict)} weights of a '
          f'{args.source} checkpoint')
    if converted.untouched:
        parts = sorted({'.'.join(n.split('.')[:2])
                        for n in converted.untouched})
        print(f'{len(converted.untouched)} weights are not in it and stay as '
              f'initialised: {", ".join(parts)}')
    return 0
