"""Sources of training pairs; each registers itself in mmtrack."""
from .base import Frame, PairSource
from .coco_source import CocoSource
from .sequence_folder_source import SequenceFolderSource
from .synthetic_source import SyntheticSource
from .track_source import TrackSource

__all__ = [
    'CocoSource', 'Frame', 'PairSource', 'SequenceFolderSource',
    'SyntheticSource', 'TrackSource'
]
