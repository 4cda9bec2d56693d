"""Measurements behind ``tools/benchmark.py``."""
from .errors import BenchmarkError

__all__ = ['BenchmarkError']
