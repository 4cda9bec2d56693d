"""Compare result folders on one page that needs no network.

RESULTS are work dirs of `siamattn test`, or folders with one <sequence>.txt
(a line x,y,w,h for each frame) a sequence, whichever tracker wrote them.

Example:
    siamattn report work_dirs/a work_dirs/b --names ours csrt \\
        --data-root data/sequences --out outputs/report
"""
import argparse
import os.path as osp
from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.console import Console
from rich.status import Status

# Before mmtrack: it is what makes mmtrack importable.
from siamattn_mm.utils.command_line import Parser, require_config
from siamattn_mm.utils.config_options import ConfigOptions
from siamattn_mm.utils.files import check_writable
from siamattn_mm.visualization import report
from siamattn_mm.visualization.report.build import PAGE_NAME
from siamattn_mm.visualization.report.sequences import read_attributes

from mmtrack.registry import DATASETS  # isort: skip


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
    parser.add_argument(
        'results', nargs='+', metavar='RESULTS', help='result folders')
    parser.add_argument(
        '--names', nargs='+', help='of the trackers (default: the folders\')')
    data = parser.add_argument_group(
        'data', 'where ground truth and frames are: one of the first two')
    data.add_argument(
        '--data-root', help='folder that holds one folder a sequence')
    data.add_argument('--config', help='config that was tested')
    data.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        help='change the config, as in siamattn test')
    data.add_argument(
        '--sequences',
        nargs='+',
        metavar='NAME',
        help='names or patterns such as "davis-*" (default: all)')
    data.add_argument(
        '--attributes',
        metavar='JSON',
        help='file {"Deer": ["fast motion"], ...}, for data sets that know '
        'no attributes')
    parser.add_argument('--title', default='Tracking results')
    parser.add_argument(
        '--out',
        default='outputs/report',
        help='folder (default: %(default)s)')
    return parser


def build_dataset(args: argparse.Namespace) -> Tuple[Any, Dict[str, str]]:
    """Build the data set, and see how its figures are taken.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        tuple[SOTFolderDataset, dict[str, str]]: The data set, and
        ``absent_frames`` and ``ao`` of the config's evaluator, where it has
        them.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it has no data to test on.
    """
    evaluator: Any = {}
    if args.config is None:
        dataset = dict(type='SOTFolderDataset', data_root=args.data_root)
    else:
        config = Config.fromfile(require_config(args.config))
        config.merge_from_dict(args.cfg_options or {})
        if 'test_dataloader' not in config:
            raise ValueError(f'config {args.config!r} has no test_dataloader')
        dataset = config.test_dataloader.dataset
        evaluator = config.get('test_evaluator') or {}
    if args.sequences is not None:
        dataset['sequences'] = args.sequences
    # Nothing is loaded through it.
    dataset.update(test_mode=True, pipeline=[])
    init_default_scope('mmtrack')
    if not isinstance(evaluator, dict):
        evaluator = {}
    rules = {
        key: evaluator[key]
        for key in ('absent_frames', 'ao') if key in evaluator
    }
    return DATASETS.build(dataset), rules


def check(args: argparse.Namespace) -> List[report.ResultFolder]:
    """Refuse what does not fit together.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        list[ResultFolder]: In their order.

    Raises:
        ValueError: If it is not said where ground truth is, or names are
            missing or equal.
    """
    if (args.data_root is None) == (args.config is None):
        raise ValueError('give either --data-root or --config, to say where '
                         'ground truth and frames are')
    names = args.names or [None] * len(args.results)
    if len(names) != len(args.results):
        raise ValueError(f'{len(args.results)} result folders, but '
                         f'{len(names)} --names')
    folders = [
        report.ResultFolder(path, name)
        for path, name in zip(args.results, names)
    ]
    chosen = [folder.name for folder in folders]
    if len(set(chosen)) < len(chosen):
        raise ValueError(f'two trackers have the same name '
                         f'({", ".join(chosen)}): tell them apart with '
                         '--names')
    return folders


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn report') -> int:
    """Write the page, and say where it is.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    # Only what the user can mend ends without a traceback.
    try:
        folders = check(args)
        check_writable(osp.join(args.out, PAGE_NAME))
        dataset, rules = build_dataset(args)
        attributes = None
        if args.attributes is not None:
            attributes = read_attributes(args.attributes)
        sequences = report.sequences_of(dataset, attributes)
        with Status('', console=Console(stderr=True)) as status:
            trackers = report.build_report(
                folders,
                sequences,
                args.out,
                args.title,
                progress=status.update,
                **rules)
    except (ValueError, TypeError, OSError) as error:
        parser.error(str(error))
    for tracker in trackers:
        print(f'{tracker.name}: success {tracker.figures["success"]:.3f}, '
              f'normalised precision {tracker.figures["norm_precision"]:.3f}, '
              f'precision {tracker.figures["precision"]:.3f}')
    print(f'{osp.join(args.out, PAGE_NAME)}: '
          f'{len(trackers[0].sequences)} sequences')
    return 0
