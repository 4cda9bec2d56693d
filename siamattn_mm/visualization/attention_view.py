"""Frames with attention maps beside them, and some of them for a strip."""
from typing import Optional, Tuple

import numpy as np
from torch import nn

from .attention import AttentionProbe
from .attention_panel import AttentionPanel
from .strip import EvenPicks

TILES = 4


class AttentionView:
    """Frames with attention maps beside them.

    Args:
        model (SiamAttn): The tracker's.
        size (tuple[int, int]): Width and height of the frames.
    """

    def __init__(self, model: nn.Module, size: Tuple[int, int]) -> None:
        self.probe = AttentionProbe(model)
        self._panel = AttentionPanel(size[1], self.probe.has_attention)
        self.size = self._panel.size_beside(size)
        self.picks = EvenPicks(TILES, self.size[0])
        self._box: Optional[np.ndarray] = None

    def add(self, drawn: np.ndarray, box: np.ndarray,
            caption: str) -> np.ndarray:
        """Take the next frame and its box; gives the wider picture."""
        maps = None
        if self._box is not None:
            maps = self.probe.maps(self._box, box)
        self._box = box
        picture = self._panel.beside(drawn, maps)
        if maps is not None:
            self.picks.add(picture, caption)
        return picture
