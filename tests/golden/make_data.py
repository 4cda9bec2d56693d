"""Make the numbers in tests/golden/data again.

    python tests/golden/make_data.py --reference GOLDEN

GOLDEN is the folder of the reference's numbers. Nothing is written unless the
code agrees with them and with mmcv, and unless the plain and the optimised
way to compute agree with each other to a tenth of what the test tolerates.
Say in the commit why numbers changed.
"""
import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'tests')]

import rule_made  # noqa: E402
import rule_made_trackers as trackers  # noqa: E402
from released_network import errors_of, run_stages  # noqa: E402

# What compares with the reference.
CHECKS = [
    'tests/golden/test_network.py', 'tests/golden/test_tracker.py',
    'tests/models/ops/test_deform_psroi_pool.py',
    'tests/models/ops/test_deform_roi_pool.py',
    'tests/models/ops/test_deform_conv.py'
]
SELECTED = 'every_stored_stage or crops or equal or golden or mmcv'


def check_reference(folder):
    """Stop unless all comparisons with the reference are run and pass."""
    if not Path(folder, 'official_network.npz').is_file():
        sys.exit(f'{folder} holds no official_network.npz')
    expected = ROOT.parent / 'shared' / 'golden'
    if not expected.is_dir() or not expected.samefile(folder):
        sys.exit(f'the tests read the reference from {expected}: put it there')
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-k', SELECTED, *CHECKS],
        cwd=str(ROOT), stdout=subprocess.PIPE, universal_newlines=True)
    print(done.stdout.splitlines()[-1])
    if done.returncode:
        sys.exit('the code does not agree with the reference:\n' + done.stdout)


def network():
    """Each stage of the released network, computed in both ways."""
    crops = rule_made.crop_pair()
    plain, optimized = (
        run_stages(trackers.released_tracker(way).model, crops)
        for way in (False, True))
    stored = {name: value.numpy() for name, value in plain.items()}
    worst = errors_of(optimized, dict(stored, **crops), 1e-4)
    if max(worst.values()) > 1:
        sys.exit(f'the two ways differ: {worst}')
    return stored


def run(kind):
    """What a tracker says, in both ways."""
    make = getattr(trackers, kind)
    plain, optimized = (
        trackers.track(make(way), trackers.STEPS[kind])
        for way in (False, True))
    gap = np.abs(plain['bbox'] - optimized['bbox']).max()
    print(f'{kind}: the two ways differ by {gap:.1e} pixels')
    if gap > trackers.BOXES_TOLERANCE / 10:
        sys.exit('which is too much')
    return plain


def operators():
    """The deformable operators, and their gradients."""
    return {
        f'{name}_{key}': value
        for name, case in rule_made.operator_cases().items()
        for key, value in rule_made.run_operator(case).items()
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--reference', required=True, metavar='GOLDEN',
        help='folder with official_network.npz and the others')
    args = parser.parse_args()
    torch.set_num_threads(1)
    check_reference(args.reference)
    made = dict(
        network=network(),
        operators=operators(),
        **{kind: run(kind) for kind in trackers.STEPS})
    trackers.DATA.mkdir(exist_ok=True)
    for name, arrays in made.items():
        path = trackers.DATA / f'{name}.npz'
        np.savez_compressed(str(path), **arrays)
        print(f'{path}: {path.stat().st_size / 1e3:.0f} kB')


if __name__ == '__main__':
    main()
