"""mmtrack's ``tools/test.py`` behind siamattn_mm. Same flags."""
from typing import Optional, Sequence

from .mmtrack_entry import run


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn test') -> int:
    """Track a data set and score it."""
    run('test', argv, prog)
    return 0
