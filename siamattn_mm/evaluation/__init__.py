"""Evaluation: pure functions and the metrics that call them."""
from .functional import *  # noqa: F401,F403
from .metrics import *  # noqa: F401,F403
