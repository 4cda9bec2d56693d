"""Make a training set of cut-outs from PNG files with an alpha channel."""
import sys
from typing import Optional, Sequence

import siamattn_mm  # noqa: F401  (mmdet's versions)
from siamattn_mm.datasets.sources.cutouts_from_png import cutouts_from_png
from siamattn_mm.utils.command_line import Parser


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn make-cutouts') -> int:
    """Make the data set, and count its objects.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    parser = Parser(
        prog=prog,
        description='Write a COCO-format data set whose objects can be cut '
        'out and pasted (SyntheticSource) from a folder of PNG files with an '
        'alpha channel, such as /usr/share/openclipart/png of Debian\'s '
        'package openclipart-png (public domain).')
    parser.add_argument('src', metavar='SRC', help='folder of PNG files')
    parser.add_argument('dst', metavar='DST', help='folder to make')
    parser.add_argument(
        '--max-side',
        type=int,
        default=220,
        help='longer side that objects are shrunk to, in pixels '
        '(default: %(default)s)')
    parser.add_argument(
        '--min-side',
        type=int,
        default=48,
        help='objects with a smaller shorter side are left out '
        '(default: %(default)s)')
    args = parser.parse_args(argv)
    if not 1 <= args.min_side <= args.max_side:
        parser.error('--min-side must be 1 or more, and at most --max-side')
    try:
        count = cutouts_from_png(args.src, args.dst, args.max_side,
                                 args.min_side)
    except (OSError, ValueError) as error:
        sys.exit(f'{parser.prog}: {error}')
    print(f'{count} objects in {args.dst}')
    return 0
