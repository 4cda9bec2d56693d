"""Drawing results: on a frame, as a strip of pictures, as a video."""
from .overlay import draw_result
from .strip import EvenPicks, Tile, make_strip
from .video import written_video

__all__ = ['EvenPicks', 'Tile', 'draw_result', 'make_strip', 'written_video']
