from .frame_step import FrameStep, TrackResult, TrackState
from .mmtrack_adapter import xywh_of
from .runtime import Runtime, SearchOutput
from .session import TrackingSession
from .tracking_config import TrackingConfig

__all__ = [
    'FrameStep', 'Runtime', 'SearchOutput', 'TrackResult',
    'TrackState', 'TrackingConfig', 'TrackingSession', 'xywh_of'
]
