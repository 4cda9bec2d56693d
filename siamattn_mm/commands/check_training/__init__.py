"""Show that training can be killed, and spread over processes.

    siamattn check-training resume CONFIG
    siamattn check-training gradients CONFIG

Whatever shortens a run is given as for siamattn train, by --cfg-options.
"""
import signal
import sys
import tempfile
from typing import Optional, Sequence

from .arguments import parse_args
from .gradients import check_gradients, save_gradients
from .resume import check_resume

__all__ = ['main']


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn check-training') -> int:
    """Check, and say whether all is equal.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 1 if something differs.
    """
    args = parse_args(argv, prog, __doc__.split('\n')[0])
    if getattr(args, 'save', None):
        save_gradients(args)
        return 0
    # So that `finally` ends what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    check = dict(resume=check_resume, gradients=check_gradients)[args.command]
    with tempfile.TemporaryDirectory() as temporary:
        equal = check(args, args.work_dir or temporary)
    print('equal' if equal else 'NOT equal')
    return 0 if equal else 1
