"""The two names most users need."""
from .tracker import Result, Tracker, init_tracker

__all__ = ['Result', 'Tracker', 'init_tracker']
