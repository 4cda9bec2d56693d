"""Track sequences from several starts, and say how sure the mean is.

One start a sequence says little: `siamattn_mm/evaluation/starts.py` makes
eight of each. What comes out are means over the sequences with their standard
errors: success, the share of frames that keep the target (overlap above 0.1)
and, where there are masks, J. With --against the same runs of before are
compared; a difference below two standard errors is no progress.

Example:
    siamattn evaluate-starts --data-root data/train_sequences data/train_videos
        --list data/val_sequences.txt --out new.json --against old.json
"""
import argparse
import json
import os
import os.path as osp
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from mmengine.config import Config
from rich import progress
from rich.console import Console
from rich.table import Table

from siamattn_mm import apis
from siamattn_mm.benchmark import start_runs
from siamattn_mm.benchmark.errors import BenchmarkError
from siamattn_mm.benchmark.peer_site import opencv_site
from siamattn_mm.benchmark.peer_worker import TRACKERS
from siamattn_mm.benchmark.peers import PeerProcess, nano_models
from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.datasets.reading.sequence_folder import find_sequences
from siamattn_mm.evaluation import start_scores
from siamattn_mm.evaluation.starts import KINDS
from siamattn_mm.utils.command_line import Parser, add_model_arguments
from siamattn_mm.utils.config_options import ConfigOptions
from siamattn_mm.utils.files import check_writable, written_whole


def make_parser(prog: str) -> Parser:
    """Make the command line.

    Args:
        prog (str): What messages call the program.

    Returns:
        Parser: Of all arguments.
    """
    parser = Parser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model_arguments(parser)
    parser.add_argument(
        '--cfg-options', nargs='+', action=ConfigOptions, default={},
        help='changes of the config, KEY=VALUE')
    parser.add_argument(
        '--data-root', nargs='+', required=True, metavar='DIR',
        help='folders of sequences (docs/datasets.md)')
    parser.add_argument(
        '--sequences', nargs='+', metavar='NAME',
        help='names or patterns of those to take, !NAME of those to leave '
        'out (default: all)')
    parser.add_argument(
        '--list', metavar='FILE',
        help='a text file of those to take: a line each, FOLDER/NAME, where '
        'FOLDER is the last part of a --data-root; # begins a comment')
    parser.add_argument(
        '--starts', nargs='+', choices=KINDS, default=KINDS, metavar='KIND',
        help=f'kinds of starts, of {", ".join(KINDS)} (default: all)')
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument(
        '--nanotrack', nargs=2, metavar=('BACKBONE', 'HEAD'),
        help='track with NanoTrack v3 instead, whose two ONNX files these '
        'are: a peer to compare with')
    peers.add_argument(
        '--peer', choices=sorted(TRACKERS),
        help='track with one of OpenCV\'s trackers instead; opencv-contrib '
        'is installed into a folder of its own if need be')
    for key in TRACKERS['nano'][1]:
        parser.add_argument(
            f'--nano-{key}', metavar='FILE',
            help=f'{key} of --peer nano, ONNX (NanoTrack v2)')
    parser.add_argument(
        '--workers', type=int, default=1, metavar='N',
        help='processes, with one thread each if there are several '
        '(default: %(default)s)')
    parser.add_argument(
        '--out', metavar='FILE', help='write each run\'s figures as JSON')
    parser.add_argument(
        '--against', metavar='FILE',
        help='a file of --out: what the difference is')
    return parser


def find_folders(roots: Sequence[str], names: Optional[Sequence[str]],
                 list_file: Optional[str]) -> List[str]:
    """Folders of the sequences.

    Args:
        roots (Sequence[str]): Folders of folders.
        names (Sequence[str], optional): Names or patterns, from any root.
        list_file (str, optional): See the command line.

    Returns:
        list[str]: In order.

    Raises:
        SequenceFolderError: If a sequence is not there.
        OSError: If the list cannot be read.
    """
    if list_file is not None:
        by_name = {osp.basename(osp.normpath(root)): root for root in roots}
        folders = []
        with open(list_file, encoding='utf-8') as file:
            for line in file:
                name = line.split('#')[0].strip()
                if not name:
                    continue
                folder, _, sequence = name.rpartition('/')
                if folder not in by_name:
                    raise SequenceFolderError(
                        f'{list_file}: {name!r} is in none of the folders '
                        f'{", ".join(roots)}')
                folders += find_sequences(by_name[folder], [sequence])
        return folders
    folders = []
    for root in roots:
        try:
            folders += find_sequences(root, names)
        except SequenceFolderError:
            # Names of one root are unknown to the others.
            if len(roots) == 1 or not osp.isdir(root):
                raise
    if not folders:
        raise SequenceFolderError(
            f'no sequence in {", ".join(roots)} fits {names}')
    return folders


def choose_tracker(args: argparse.Namespace,
                   config: Config) -> Tuple[Callable, Tuple[Any, ...]]:
    """What tracks: our model or a peer.

    Args:
        args (argparse.Namespace): Of the command line.
        config (Config): Of the model.

    Returns:
        tuple[Callable, tuple]: A maker of
        :mod:`siamattn_mm.benchmark.start_runs`, and its arguments.

    Raises:
        BenchmarkError: If a peer cannot be had.
    """
    if args.nanotrack is not None:
        return start_runs.nanotrack, (args.nanotrack, )
    if args.peer is not None:
        peer = (args.peer, opencv_site(), nano_models(args))
        # What is missing is said once, in front of all processes.
        with PeerProcess(*peer):
            pass
        return start_runs.opencv_peer, peer
    return start_runs.our_tracker, (config, args.checkpoint, args.device,
                                    args.runtime,
                                    None if args.workers == 1 else 1)


def print_tables(rows: List[Dict[str, Any]],
                 before: Optional[List[Dict[str, Any]]],
                 console: Console) -> None:
    """Print a table of the sequences, and one of the means.

    Args:
        rows (list[dict]): Runs of :func:`~siamattn_mm.benchmark.start_runs.
            runs_of`.
        before (list[dict], optional): Those to compare with.
        console (Console): Where tables go.
    """
    table = Table(title='means over the starts')
    table.add_column('sequence')
    for name in ('starts', *start_scores.METRICS):
        table.add_column(name, justify='right')
    names = list(dict.fromkeys(row['sequence'] for row in rows))
    for name in names:
        own = [row for row in rows if row['sequence'] == name]
        cells = [start_scores.estimate(own, m) for m in start_scores.METRICS]
        table.add_row(
            name, str(len(own)),
            *(f'{cell.mean:.3f}' if cell.sequences else '' for cell in cells))
    console.print(table)
    table = Table(title='means over the sequences, and standard errors')
    table.add_column('')
    columns = dict(
        all=lambda m: start_scores.estimate(rows, m),
        first=lambda m: start_scores.estimate(
            start_scores.first_starts(rows), m))
    titles = ['all starts', 'first frame alone']
    if before is not None:
        columns['difference'] = lambda m: start_scores.difference(
            rows, before, m)
        titles.append('all starts, difference')
    for title in titles:
        table.add_column(title, justify='right')
    for metric in start_scores.METRICS:
        found = [of(metric) for of in columns.values()]
        if found[0].sequences:
            table.add_row(f'{metric} ({found[0].sequences} sequences)',
                          *map(str, found))
    console.print(table)
    counts = start_scores.lost_frames(rows)
    if counts.absent or counts.said:
        table = Table(title=f'said to be lost: {counts.said} frames')
        for title in ('', 'frames', 'precision', 'recall'):
            table.add_column(title, justify='right' if title else 'left')
        for name, number, precision, recall in (
            ('target absent', counts.absent, counts.precision, counts.recall),
            ('target absent, or box not on it', counts.off,
             counts.off_precision, counts.off_recall)):
            table.add_row(name, str(number), f'{precision:.3f}',
                          f'{recall:.3f}')
        console.print(table)


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn evaluate-starts') -> int:
    """Track, and print.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): Its name.

    Returns:
        int: Exit code.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    console = Console()
    try:
        if args.workers < 1:
            raise ValueError('--workers must be 1 or more, but got '
                             f'{args.workers}')
        before = None
        if args.against is not None:
            before = read_runs(args.against)
        if args.out is not None:
            check_writable(args.out)
        config = apis.tracker.read_config(args.config)
        config.merge_from_dict(args.cfg_options)
        folders = find_folders(args.data_root, args.sequences, args.list)
        tracker = choose_tracker(args, config)
        rows: List[Dict[str, Any]] = []
        with progress.Progress(
                *progress.Progress.get_default_columns(),
                progress.MofNCompleteColumn(),
                console=console) as bar:
            task = bar.add_task('sequences', total=len(folders))
            for found in start_runs.track_all(
                    folders, args.starts, *tracker, args.workers):
                rows += found
                bar.advance(task)
    except (ValueError, TypeError, OSError, BenchmarkError) as error:
        parser.error(str(error))
    if args.out is not None:
        with written_whole(args.out) as temporary:
            with open(temporary, 'w', encoding='utf-8') as file:
                json.dump(dict(config=os.fspath(args.config), runs=rows), file,
                          indent=1)
    print_tables(rows, before, console)
    return 0


def read_runs(path: str) -> List[Dict[str, Any]]:
    """Read a file of ``--out``.

    Args:
        path (str): The file.

    Returns:
        list[dict]: Its runs.

    Raises:
        ValueError: If it is no such file.
        OSError: If it cannot be read.
    """
    with open(path, encoding='utf-8') as file:
        try:
            runs = json.load(file)['runs']
            for row in runs:
                row['sequence'], row['start']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path!r} is no file of --out: expected JSON '
                             'with runs') from error
    return runs


if __name__ == '__main__':
    sys.exit(main())
