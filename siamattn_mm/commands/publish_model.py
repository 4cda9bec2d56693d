"""Make a small file of weights from a training checkpoint."""
import argparse
import os.path as osp
import sys
from typing import Dict, Optional, Sequence, Tuple

import torch
from torch import Tensor

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
        'schedule, logs. Of several checkpoints of one training their mean '
        'can be kept.')
    parser.add_argument('src', metavar='SRC', help='training checkpoint')
    parser.add_argument('dst', metavar='DST', help='file to write')
    parser.add_argument(
        '--half',
        action='store_true',
        help='store floating point numbers in half precision; they are '
        'widened again when they are loaded')
    parser.add_argument(
        '--average',
        nargs='+',
        default=[],
        metavar='FILE',
        help='other checkpoints: what is written is the mean of these and '
        'SRC. Good for weights of one training and what it went on to, whose '
        'mean is often better than either; of others it is useless')
    return parser.parse_args(argv)


def average(
        models: Sequence[Tuple[str, Dict[str, Tensor]]]) -> Dict[str, Tensor]:
    """Mean of the weights of several models (model soups, Wortsman et al.,
    ICML 2022, https://arxiv.org/abs/2203.05482).

    Args:
        models (Sequence[tuple[str, dict[str, Tensor]]]): Files' names and
            their state dicts. One that is there twice counts twice.

    Returns:
        dict[str, Tensor]: Means, in the first one's types; what is not a
        floating point number is the first one's.

    Raises:
        CheckpointError: If one of them has other weights, or weights of other
            shapes, than the first one.
    """
    (first, weights), *others = models
    for name, other in others:
        wrong = sorted(
            key for key in weights.keys() | other.keys()
            if key not in weights or key not in other
            or weights[key].shape != other[key].shape)
        if wrong:
            raise CheckpointError(
                f'{name} is another model than {first}: they differ in '
                f'{len(wrong)} weights, such as {wrong[0]}')
    return {
        key: (sum(one[key].double() for _, one in models) /
              len(models)).to(value) if value.is_floating_point() else value
        for key, value in weights.items()
    }


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
        weights = average(
            [(path, load_state_dict(path))
             for path in [args.src, *args.average]])
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
