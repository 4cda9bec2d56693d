"""Published trackers that label training pairs, and are compared with."""
from .nanotrack import NanoTrackNetwork

__all__ = ['NanoTrackNetwork']
