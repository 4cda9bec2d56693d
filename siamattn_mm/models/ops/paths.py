"""Which of several ways to the same numbers a module takes."""
from typing import NamedTuple


class Paths(NamedTuple):
    """The choice.

    Attributes:
        fast (bool): False for the plain ways, which are what the fast ones
            are measured and tested against. Defaults to True.
        folded (bool): Whether convs and norms run as one, in evaluation
            without gradients; not without ``fast``. Defaults to False.
    """
    fast: bool = True
    folded: bool = False


class HasPaths:
    """A module with more than one way.

    Attributes:
        paths (Paths): Written by :func:`.prepare.prepare_for_inference`
            alone.
    """
    paths = Paths()
