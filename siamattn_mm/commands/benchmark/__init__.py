"""Measure time, arithmetic and memory on this machine.

Examples:
    siamattn benchmark CONFIG                      # time of a frame
    siamattn benchmark CONFIG --compare CONFIG2    # two, in turn
    siamattn benchmark CONFIG --nanotrack BACKBONE.onnx HEAD.onnx
    siamattn benchmark --train-step CONFIG         # of training
    siamattn benchmark --train-step CONFIG --targets
    siamattn benchmark CONFIG --busy               # beside busy ones
    siamattn benchmark --pipeline DATA_ROOT        # training pairs
    siamattn benchmark --data-memory               # of annotations
    siamattn benchmark --peers DATA_ROOT           # OpenCV's trackers
"""
import json
from typing import Optional, Sequence

import cv2
import torch
from rich.console import Console

from siamattn_mm.benchmark import BenchmarkError, tables
from siamattn_mm.utils import written_whole
from siamattn_mm.utils.files import check_writable

from .arguments import check_mode, make_parser
from .opencv import run_peers
from .tracking import run_frame
from .training import run_data_memory, run_pipeline, run_train_step

__all__ = ['main']


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn benchmark') -> int:
    """Measure, print, write.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    parser = make_parser(prog, __doc__)
    args = parser.parse_args(argv)
    mode = check_mode(parser, args)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    console = Console()
    machine = tables.machine()
    console.print(tables.describe_machine(machine), soft_wrap=True)
    run = dict(
        config=run_frame,
        train_step=run_train_step,
        pipeline=run_pipeline,
        data_memory=run_data_memory,
        peers=run_peers)[mode]
    # Only what the user can mend ends without a traceback.
    try:
        if args.json is not None:
            check_writable(args.json)
        report = run(args, console)
    except (BenchmarkError, ValueError, TypeError, OSError) as error:
        parser.error(str(error).splitlines()[0])
    except KeyboardInterrupt:
        parser.exit(130, f'{parser.prog}: interrupted\n')
    if args.json is not None:
        with written_whole(args.json) as temporary:
            with open(temporary, 'w', encoding='utf-8') as file:
                json.dump(dict(machine=machine, **report), file, indent=2)
        print(args.json)
    return 0
