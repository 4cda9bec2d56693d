"""Sources of training pairs; each registers itself in mmtrack."""
from .base import Frame, PairSource
from .coco_source import CocoSource
from .got10k_source import GOT10kSource
from .imagenet_det_source import ImageNetDETSource
from .imagenet_vid_source import ImageNetVIDSource
from .lasot_source import LaSOTSource
from .region_source import RegionSource
from .sequence_folder_source import SequenceFolderSource
from .synthetic_source import SyntheticSource
from .track_source import TrackSource
from .trackingnet_source import TrackingNetSource
from .video_source import VideoSource
from .youtube_bb_source import YouTubeBBSource
from .youtube_vos_source import YouTubeVOSSource

__all__ = [
    'CocoSource', 'Frame', 'GOT10kSource', 'ImageNetDETSource',
    'ImageNetVIDSource', 'LaSOTSource', 'PairSource', 'RegionSource',
    'SequenceFolderSource', 'SyntheticSource', 'TrackSource',
    'TrackingNetSource', 'VideoSource', 'YouTubeBBSource', 'YouTubeVOSSource'
]
