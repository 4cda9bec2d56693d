"""Make the file that a benchmark's server takes, and read it back."""
import argparse
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

# Before mmtrack: it is what makes mmtrack importable.
from siamattn_mm.datasets import SequenceFolderError
from siamattn_mm.datasets.benchmarks import (
    BenchmarkSequence,
    DAVISTestDataset,
    GOT10kTestDataset,
    TrackingNetTestDataset,
    VOTTestDataset,
    YouTubeVOSTestDataset,
)
from siamattn_mm.evaluation.submission import (
    SubmissionError,
    check_got10k,
    check_masks,
    check_trackingnet,
    check_vot,
    make_got10k,
    make_masks,
    make_trackingnet,
    make_vot,
    official_lengths,
    tracked_sequences,
)

DATASETS: Dict[str, Tuple[type, Dict[str, Any]]] = {
    'got10k': (GOT10kTestDataset, {}),
    'trackingnet': (TrackingNetTestDataset, {}),
    'davis2016': (DAVISTestDataset, dict(year=2016)),
    'davis2017': (DAVISTestDataset, dict(year=2017)),
    'youtube-vos': (YouTubeVOSTestDataset, {}),
    'vot2016': (VOTTestDataset, {}),
    'vot2018': (VOTTestDataset, {}),
    'vot2019': (VOTTestDataset, {}),
}
WITHOUT_DATA = ('got10k', 'trackingnet')


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
        description='Make the file that a benchmark\'s server takes out of '
        'the results of siamattn test, and read it back. Whatever is missing '
        'or wrong is named by file and line, and then nothing is written.')
    parser.add_argument(
        'results',
        metavar='RESULTS',
        help='folder with the result files: WORK_DIR/results of the test '
        '(VOT: WORK_DIR/results/baseline)')
    parser.add_argument(
        '--benchmark', required=True, choices=list(DATASETS))
    parser.add_argument(
        '--out', required=True, metavar='ZIP', help='file to write')
    parser.add_argument(
        '--data-root',
        metavar='DIR',
        help='the benchmark, as in its config; with it, sequences and numbers '
        'of frames are compared. Needed for all but '
        f'{" and ".join(WITHOUT_DATA)}')
    parser.add_argument(
        '--subset',
        help='DAVIS: val (default) or test-dev; YouTube-VOS: valid (default) '
        'or test')
    args = parser.parse_args(argv)
    if args.data_root is None and args.benchmark not in WITHOUT_DATA:
        parser.error(f'--benchmark {args.benchmark} needs --data-root')
    if args.subset and not args.benchmark.startswith(('davis', 'youtube')):
        parser.error(f'--benchmark {args.benchmark} has no --subset')
    return args


def read_sequences(benchmark: str, data_root: str,
                   subset: Optional[str]) -> List[BenchmarkSequence]:
    """List the benchmark's sequences.

    Args:
        benchmark (str): One of ``DATASETS``.
        data_root (str): Where it is.
        subset (str, optional): None takes the default one.

    Returns:
        list[BenchmarkSequence]: In its order.

    Raises:
        SequenceFolderError: If it is not as expected.
    """
    dataset_class, kwargs = DATASETS[benchmark]
    if subset is not None:
        kwargs = dict(kwargs, subset=subset)
    dataset = dataset_class(data_root, **kwargs)
    return [dataset.get_sequence(i) for i in range(dataset.num_videos)]


def make(args: argparse.Namespace) -> str:
    """Make and check the submission.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        str: What is in it, in a few words.

    Raises:
        SubmissionError: If a result is missing or wrong, naming file and line.
        SequenceFolderError: If the benchmark is not as expected.
    """
    lengths: Dict[str, Optional[int]]
    if args.data_root is None:
        lengths = official_lengths(args.benchmark,
                                   tracked_sequences(args.results))
    else:
        sequences = read_sequences(args.benchmark, args.data_root, args.subset)
        lengths = {sequence.name: len(sequence) for sequence in sequences}
    if args.benchmark == 'got10k':
        make_got10k(args.results, lengths, args.out)
        check_got10k(args.out, lengths)
    elif args.benchmark == 'trackingnet':
        make_trackingnet(args.results, lengths, args.out)
        check_trackingnet(args.out, lengths)
    elif args.benchmark.startswith('vot'):
        make_vot(args.results, lengths, args.out)
        check_vot(args.out, lengths, args.results)
    else:
        prefix = 'Annotations/' if args.benchmark == 'youtube-vos' else ''
        make_masks(args.results, sequences, args.out, prefix)
        check_masks(args.out, sequences, prefix)
        return f'{len(lengths)} objects'
    return f'{len(lengths)} sequences'


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn make-submission') -> int:
    """Make the file, and say what is in it.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code; 2, with one line on stderr, for what the user can mend.
    """
    args = parse_args(argv, prog)
    try:
        content = make(args)
    except (SubmissionError, SequenceFolderError) as error:
        print(f'{prog}: error: {error}', file=sys.stderr)
        return 2
    print(f'{args.out}: {content}, written and read back')
    return 0
