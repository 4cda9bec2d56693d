"""Frames with attention maps beside them, and some of them for a strip."""
from typing import Optional, Tuple

import numpy as np

from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.models.trackers import TrackingSession
from siamattn_mm.structures.search_window import SearchWindow

from .attention import AttentionProbe
from .attention_panel import AttentionPanel
from .strip import EvenPicks

TILES = 4


class AttentionView:
    """Frames with attention maps beside them.

    Args:
        model (SiamAttn): The tracker's.
        session (TrackingSession): Its target's, started.
        size (tuple[int, int]): Width and height of the frames.

    Attributes:
        probe (AttentionProbe): Open while frames are tracked.
        size (tuple[int, int]): Width and height of frame and maps.
        picks (EvenPicks): Frames for a strip.
    """

    def __init__(self, model: SiamAttn, session: TrackingSession,
                 size: Tuple[int, int]) -> None:
        self.probe = AttentionProbe(model)
        self._session = session
        self._panel = AttentionPanel(size[1], self.probe.has_attention)
        self.size = self._panel.size_beside(size)
        self.picks = EvenPicks(TILES, self.size[0])
        self._window: Optional[SearchWindow] = None

    def add(self, drawn: np.ndarray, box: np.ndarray,
            caption: str) -> np.ndarray:
        """Take the next frame.

        Args:
            drawn (np.ndarray): (H, W, 3) uint8, BGR, with its result.
            box (np.ndarray): (4,), x, y, w, h in pixels: what was found.
            caption (str): Of the frame, for the strip.

        Returns:
            np.ndarray: (H, W', 3) uint8, BGR, of :attr:`size`: the maps are
            beside the frame, from the second one on.
        """
        maps = None
        if self._window is not None:
            maps = self.probe.maps(self._window, box)
        self._window = self._session.frame_step.window(self._session.state)
        picture = self._panel.beside(drawn, maps)
        if maps is not None:
            self.picks.add(picture, caption)
        return picture
