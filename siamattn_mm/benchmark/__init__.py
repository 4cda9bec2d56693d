"""Measurements behind ``siamattn benchmark``."""
from .errors import BenchmarkError

__all__ = ['BenchmarkError']
