"""OpenCV's trackers on a folder of sequences."""
import argparse
import functools
import os.path as osp
from typing import Any, Dict

import torch
from rich.console import Console

from siamattn_mm import datasets
from siamattn_mm.benchmark import peers, tables
from siamattn_mm.benchmark.peer_site import opencv_site
from siamattn_mm.utils.files import check_writable

from .progress import progress_bar


def run_peers(args: argparse.Namespace, console: Console) -> Dict[str, Any]:
    """Score OpenCV's trackers on a folder of sequences.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.

    Returns:
        dict[str, Any]: All figures, for --json.

    Raises:
        SequenceFolderError: If the folder is not as expected.
        BenchmarkError: If a tracker cannot be had or ends.
    """
    models = peers.nano_models(args)
    names = args.trackers or ['csrt', 'kcf'] + ['nano'] * bool(models)
    sequences = [
        datasets.read_sequence(path)
        for path in datasets.find_sequences(args.peers, args.sequences)
    ]
    check_writable(osp.join(args.out, names[0], 'sequence.txt'))
    site = opencv_site()
    report: Dict[str, Any] = {}
    for name in names:
        with peers.PeerProcess(name, site, models,
                               torch.get_num_threads()) as peer, \
                progress_bar(Console(stderr=True)) as bar:
            bar.add_task(name, total=sum(map(len, sequences)))
            found = peers.run_peer(
                peer, sequences, osp.join(args.out, name),
                functools.partial(bar.advance, bar.task_ids[0]))
        # A plain table: rich would cut it to the terminal's width.
        print(f'{name}\n{found.table}\n')
        report[name] = dict(mean=found.mean, sequences=found.sequences)
    console.print(
        tables.peers_table({k: v['mean']
                            for k, v in report.items()}))
    print(f'results of each sequence are in {args.out}')
    return dict(peers=report)
