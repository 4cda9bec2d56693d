"""Attention and score maps as heat maps over the search crop."""
from typing import List, Optional, Tuple

import cv2
import numpy as np

from .attention import AttentionMaps, HeatMap, brightness

COLUMNS = 4
_GAP, _CAPTION = 6, 18
_BACKGROUND, _TEXT = 24, (225, 225, 225)
_MIN_TILE, _MAX_TILE = 144, 256
_OPACITY = 0.6


class AttentionPanel:
    """Pictures of one size, to be put beside the frames of a video.

    A row each for what the target's centre attends to, for the attention that
    each place receives (none of both without self-attention) and for the
    score maps; a column a level, and the last for their mean or weighted sum.

    Args:
        frame_height (int): Of the video, in pixels; tiles are made to fit.
        with_attention (bool): Whether the model has self-attention.
            Defaults to True.
    """

    def __init__(self, frame_height: int, with_attention: bool = True) -> None:
        self.rows = 3 if with_attention else 1
        tile = (frame_height - _GAP) // self.rows - _CAPTION - _GAP
        self.tile = int(np.clip(tile, _MIN_TILE, _MAX_TILE))
        self.size = (COLUMNS * (self.tile + _GAP) + _GAP,
                     self.rows * (self.tile + _CAPTION + _GAP) + _GAP)

    def draw(self, maps: Optional[AttentionMaps]) -> np.ndarray:
        """Draw the maps of one frame.

        Args:
            maps (AttentionMaps, optional): Of up to three levels; None for
                the first frame, in which nothing is searched.

        Returns:
            np.ndarray: (H, W, 3) uint8, BGR; ``size`` says width and height.
        """
        width, height = self.size
        canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
        if maps is None:
            self._write(canvas, 'first frame: the target is given', 0, 0)
            return canvas
        for row, tiles in enumerate(self._tiles(maps)):
            for column, (caption, heat, limit) in enumerate(tiles):
                self._put(canvas, row, column, caption,
                          self._overlay(maps, heat, limit))
        return canvas

    def beside(self, frame: np.ndarray,
               maps: Optional[AttentionMaps]) -> np.ndarray:
        """A frame with its maps on the right.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.
            maps (AttentionMaps, optional): See :meth:`draw`.

        Returns:
            np.ndarray: (max height, sum of widths, 3) uint8, BGR.
        """
        width, height = self.size_beside(frame.shape[1::-1])
        canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
        for picture, left in ((frame, 0), (self.draw(maps), frame.shape[1])):
            top = (height - picture.shape[0]) // 2
            canvas[top:top + picture.shape[0],
                   left:left + picture.shape[1]] = picture
        return canvas

    def size_beside(self, frame_size: Tuple[int, int]) -> Tuple[int, int]:
        """Width and height of what :meth:`beside` gives.

        Args:
            frame_size (tuple[int, int]): Width and height.

        Returns:
            tuple[int, int]: Both even, as codecs want them.
        """
        width = frame_size[0] + self.size[0]
        height = max(frame_size[1], self.size[1])
        return width + width % 2, height + height % 2

    def _tiles(self, maps: AttentionMaps) -> List[list]:
        rows = []
        for name, heats in (('attends to', maps.from_target),
                            ('receives', maps.received)):
            if heats:
                mean = heats[0]._replace(
                    values=np.mean([h.values for h in heats], axis=0))
                rows.append(
                    [(f'{name}, level {i + 1}', heat, None)
                     for i, heat in enumerate(heats)] + [(f'{name}, mean',
                                                          mean, None)])
        rows.append([(f'score {i + 1} (x{weight:.2f})', heat, 1.)
                     for i, (heat, weight) in enumerate(
                         zip(maps.scores, maps.level_weights))] +
                    [('score, sum', maps.fused_score, 1.)])
        return rows

    def _overlay(self, maps: AttentionMaps, heat: HeatMap,
                 limit: Optional[float]) -> np.ndarray:
        """Heat over the greyed crop; brighter is more."""
        size = len(maps.crop)
        share = brightness(heat.values, limit)
        # Pixel p of the crop lies in cell (p - corner) / cell; a cell's
        # value is that of its centre.
        warp = np.float64([[heat.cell, 0, heat.corner[0] + heat.cell / 2],
                           [0, heat.cell, heat.corner[1] + heat.cell / 2]])
        warp[:, 2] -= 0.5
        share = cv2.warpAffine(
            share.astype(np.float32), warp, (size, size),
            borderMode=cv2.BORDER_CONSTANT)
        grey = cv2.cvtColor(maps.crop, cv2.COLOR_BGR2GRAY)[..., None]
        color = cv2.applyColorMap(
            np.rint(share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
        opacity = _OPACITY * share[..., None]**0.5
        mixed = grey * (1 - opacity) * 0.75 + color * opacity
        tile = cv2.resize(
            mixed.astype(np.uint8), (self.tile, self.tile),
            interpolation=cv2.INTER_AREA)
        x, y = (round(value * self.tile / size) for value in maps.target)
        cv2.drawMarker(tile, (x, y), (255, 255, 255), cv2.MARKER_CROSS,
                       max(6, self.tile // 14), 1, cv2.LINE_AA)
        return tile

    def _put(self, canvas: np.ndarray, row: int, column: int, caption: str,
             tile: np.ndarray) -> None:
        top = _GAP + row * (self.tile + _CAPTION + _GAP)
        left = _GAP + column * (self.tile + _GAP)
        self._write(canvas, caption, row, column)
        top += _CAPTION
        canvas[top:top + self.tile, left:left + self.tile] = tile

    def _write(self, canvas: np.ndarray, text: str, row: int,
               column: int) -> None:
        left = _GAP + column * (self.tile + _GAP)
        base = _GAP + row * (self.tile + _CAPTION + _GAP) + _CAPTION - 5
        scale = min(0.42, 0.42 * self.tile / 130)
        cv2.putText(canvas, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX,
                    scale, _TEXT, 1, cv2.LINE_AA)
