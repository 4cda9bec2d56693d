"""Compare success of the same tracker in two environments.

    python tools/_official/compare.py FIRST SECOND --data-root DIR

FIRST and SECOND are work folders of a test; all sequences of the first count.
"""
import argparse
import os
import os.path as osp
import sys

from tabulate import tabulate

from siamattn_mm.datasets.reading.sequence_folder import read_sequence
from siamattn_mm.evaluation.functional import evaluate_ope
from siamattn_mm.visualization.report.result_folder import ResultFolder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folders', nargs=2, metavar='FOLDER')
    parser.add_argument('--data-root', required=True)
    parser.add_argument('--names', nargs=2, default=['first', 'second'])
    parser.add_argument('--tolerance', type=float, default=0.002)
    args = parser.parse_args()
    results = [ResultFolder(folder) for folder in args.folders]
    rows, worst = [], 0.
    for name in sorted(os.listdir(args.data_root)):
        if not results[0].has(name):
            continue
        sequence = read_sequence(osp.join(args.data_root, name))
        boxes = [item.read(name, len(sequence)).boxes for item in results]
        success = [evaluate_ope(b, sequence.boxes)['success'] for b in boxes]
        gap = abs(success[0] - success[1])
        worst = max(worst, gap)
        rows.append([name, len(sequence)] + success +
                    [gap, abs(boxes[0] - boxes[1]).max()])
    if not rows:
        print(f'{args.data_root} holds none of the sequences that were '
              f'tracked in {args.folders[0]}', file=sys.stderr)
        return 2
    print(tabulate(
        rows,
        headers=['success', 'frames'] + args.names +
        ['difference', 'boxes differ by, px'],
        floatfmt='.5f'))
    print(f'largest difference {worst:.5f}, {args.tolerance} is allowed')
    return 0 if worst <= args.tolerance else 1


if __name__ == '__main__':
    sys.exit(main())
