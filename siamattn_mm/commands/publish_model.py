"""Make a small file of weights from a training checkpoint."""
import argparse
import os.path as osp
import sys
from typing import Optional, Sequence

import torch

from siamattn_mm.utils import CheckpointError, load_state_dict, written_whole


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
        description='Keep the weights of a training checkpoint (the averaged '
        'ones, if it was trained with EMA) and drop the rest: optimizer, '
        'schedule, logs.')
    parser.add_argument('src', metavar='SRC', help='training checkpoint')
    parser.add_argument('dst', metavar='DST', help='file to write')
    parser.add_argument(
        '--half',
        action='store_true',
        help='store floating point numbers in half precision; they are '
        'widened again when they are loaded')
    return parser.parse_args(argv)


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn publish-model') -> int:
    """Write the weights alone, and say how large the file is.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code; 2, with one line on stderr, for what the user can mend.
    """
    args = parse_args(argv, prog)
    try:
        weights = load_state_dict(args.src)
    except CheckpointError as error:
        print(f'{prog}: error: {error}', file=sys.stderr)
        return 2
    if args.half:
        weights = {
            name: value.half() if value.is_floating_point() else value
            for name, value in weights.items()
        }
        broken = [n for n, v in weights.items() if not v.isfinite().all()]
        if broken:
            print(f'{prog}: error: too large for half precision: '
                  f'{", ".join(broken)}', file=sys.stderr)
            return 2
    with written_whole(args.dst) as temporary:
        torch.save(dict(state_dict=weights), temporary)
    print(f'{args.dst}: {len(weights)} weights, '
          f'{osp.getsize(args.dst) / 1e6:.1f} MB')
    return 0
