"""Write a tracker's network as ONNX files."""
import argparse
import os.path as osp
import sys
from typing import Optional, Sequence

# Before mmtrack: it is what makes mmtrack importable.
from siamattn_mm.apis.tracker import read_config
from siamattn_mm.datasets.reading.sequence_folder import find_sequences
from siamattn_mm.deploy.export import export_tracker
from siamattn_mm.deploy.quantize import quantize_export
from siamattn_mm.models.ops.onnx.lowering import DEFORM_CONV
from siamattn_mm.utils.config_options import ConfigOptions
from siamattn_mm.utils.files import check_writable


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
        description='Write a tracker\'s network as ONNX files: NAME.onnx '
        'takes a search crop, NAME.init.onnx the template, and NAME.box.onnx '
        'and NAME.mask.onnx, where the model has such heads, refine and '
        'segment a box. init_tracker(CONFIG, checkpoint="NAME.onnx") runs '
        'them. Needs pip install -r requirements/deploy.txt')
    parser.add_argument('config', metavar='CONFIG', help='config file')
    parser.add_argument(
        '--checkpoint',
        metavar='FILE',
        help='weights (default: those that ship with the package)')
    parser.add_argument(
        '--out', required=True, metavar='NAME.onnx', help='file to write')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='changes of the config, e.g. model.refine_head.mask_head=None '
        'model.refine_head.mask_fusion=None for boxes alone; the tracker that '
        'runs the files needs the same ones')
    parser.add_argument(
        '--deform-conv',
        choices=sorted(DEFORM_CONV),
        default='operator',
        help='operator: ONNX\'s own DeformConv, fastest in onnxruntime, and '
        'in OpenVINO from Python; grid-sample: for runtimes that have no '
        'DeformConv, such as OpenVINO from C++ (default: operator)')
    parser.add_argument(
        '--int8',
        metavar='FOLDER',
        help='let the convolutions run in 8 bits; the folder of sequences '
        '(img/*.jpg, groundtruth.txt each) gives the ranges of the '
        'activations. Smaller, but less exact: measure what it costs')
    parser.add_argument(
        '--calibration-frames',
        type=int,
        default=128,
        metavar='N',
        help='of that folder (default: 128)')
    args = parser.parse_args(argv)
    if args.calibration_frames < 1:
        parser.error('--calibration-frames must be at least 1, but got '
                     f'{args.calibration_frames}')
    return args


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn export') -> int:
    """Export, and say how large the files are.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code; 2, with one line on stderr, for what the user can mend.
    """
    args = parse_args(argv, prog)
    try:
        if args.int8 is not None:
            find_sequences(args.int8)  # before the long work
        check_writable(args.out)
        config = read_config(args.config)
        config.merge_from_dict(args.cfg_options)
        paths = export_tracker(config, args.checkpoint, args.out,
                               args.deform_conv)
        if args.int8 is not None:
            convs = quantize_export(config, args.out, args.int8,
                                    args.calibration_frames)
            print(f'{convs} convolutions run in 8 bits')
    except (OSError, ValueError) as error:
        print(f'{prog}: error: {error}', file=sys.stderr)
        return 2
    for path in paths:
        print(f'{path}: {osp.getsize(path) / 1e6:.1f} MB')
    return 0
