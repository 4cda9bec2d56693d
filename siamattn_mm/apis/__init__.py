"""What most users need: a tracker, and frames to track in."""
from .frames import FrameError, Frames, open_frames
from .tracker import Result, Tracker, init_tracker

__all__ = [
    'FrameError', 'Frames', 'Result', 'Tracker', 'init_tracker', 'open_frames'
]
