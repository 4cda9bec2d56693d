"""Frames of a video file, a folder of images, a stream or a camera."""
from .base import DEFAULT_FPS, FrameError, Frames
from .camera import CameraFrames
from .folder import SUFFIXES, FolderFrames
from .opening import open_frames

__all__ = [
    'DEFAULT_FPS', 'SUFFIXES', 'CameraFrames', 'FolderFrames', 'FrameError',
    'Frames', 'open_frames'
]
