"""mmtrack's ``tools/train.py`` behind siamattn_mm. Same flags."""
from typing import Optional, Sequence

from .mmtrack_entry import run


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn train') -> int:
    """Train a model.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    run('train', argv, prog)
    return 0
