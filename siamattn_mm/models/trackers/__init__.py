from .siamattn import SiamAttn, TrackResult

__all__ = ['SiamAttn', 'TrackResult']
