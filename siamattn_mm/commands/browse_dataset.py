"""Draw training pairs as a model gets them.

Example:
    siamattn browse-dataset CONFIG --out outputs/pairs --num 24
"""
import argparse
import os
import os.path as osp
from itertools import islice
from typing import Optional, Sequence

from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from siamattn_mm.datasets import PairSampler
from siamattn_mm.utils.config_options import ConfigOptions
from siamattn_mm.utils.configs import require_config
from siamattn_mm.utils.images import write_image
from siamattn_mm.visualization.pair_sheet import contact_sheet, draw_pair


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
        prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument('config', help='config with a train_dataloader')
    parser.add_argument('--out', required=True, help='folder for the pictures')
    parser.add_argument('--num', type=int, default=24, help='pairs to draw')
    parser.add_argument(
        '--source', help='draw pairs of this source only, by its name')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--epoch', type=int, default=0)
    parser.add_argument(
        '--per-sheet', type=int, default=24, help='pairs in one picture')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        help='change the config, e.g. '
        'train_dataloader.dataset.sources.video.data_root=/data/video')
    args = parser.parse_args(argv)
    if args.num < 1 or args.per_sheet < 1:
        parser.error('--num and --per-sheet must be 1 or more')
    return args


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn browse-dataset') -> int:
    """Draw the pairs and say where they are.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    args = parse_args(argv, prog)
    cfg = Config.fromfile(require_config(args.config))
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmtrack'))
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    print(dataset)
    if args.source not in (None, *dataset.sources):
        raise SystemExit(f'no source {args.source} in {args.config}; there '
                         f'are {", ".join(dataset.sources)}')
    sampler = PairSampler(dataset, seed=args.seed)
    sampler.set_epoch(args.epoch)
    chosen = (index for index in sampler if args.source in
              (None, dataset.source_of(index.index)))
    pictures = [
        draw_pair(dataset[index]) for index in islice(chosen, args.num)
    ]
    os.makedirs(args.out, exist_ok=True)
    for i in range(0, len(pictures), args.per_sheet):
        path = osp.join(args.out, f'pairs_{i // args.per_sheet:03d}.png')
        write_image(path, contact_sheet(pictures[i:i + args.per_sheet]))
        print(path)
    return 0
