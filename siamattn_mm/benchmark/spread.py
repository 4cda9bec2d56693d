"""A figure of several runs."""
from typing import NamedTuple, Sequence

import numpy as np


class Spread(NamedTuple):
    """A figure of several runs.

    Attributes:
        median (float): Median of the runs' figures.
        low (float): Smallest of them.
        high (float): Largest of them.
    """
    median: float
    low: float
    high: float


def spread(runs: Sequence[float]) -> Spread:
    """Median and spread of the runs' figures."""
    return Spread(
        float(np.median(runs)), float(np.min(runs)), float(np.max(runs)))
