"""Frames of one sequence with ground truth and the trackers' boxes."""
from typing import List, Sequence

import cv2
import numpy as np

from siamattn_mm.datasets.reading.image_reader import ImageReader

from ..strip import Tile
from .plots import style_of
from .scores import ScoredSequence
from .sequences import ReportSequence

TILE_WIDTH = 300
_SHIFT = 4


def make_tiles(sequence: ReportSequence,
               scored: Sequence[ScoredSequence],
               count: int = 6) -> List[Tile]:
    """Evenly spaced frames; ground truth white, trackers in their colours.

    Args:
        sequence (ReportSequence): The sequence.
        scored (Sequence[ScoredSequence]): One a tracker; the overlap in a
            caption is that of the first.
        count (int): Frames. Defaults to 6.

    Returns:
        list[Tile]: Pictures :data:`TILE_WIDTH` wide.
    """
    reader, tiles = ImageReader(), []
    numbers = np.unique(
        np.linspace(0, len(sequence.data) - 1, count).round().astype(int))
    for number in numbers:
        frame = reader.image(sequence.data.frame_path(number))
        scale = TILE_WIDTH / frame.shape[1]
        size = (TILE_WIDTH, max(1, round(frame.shape[0] * scale)))
        canvas = cv2.resize(
            frame,
            size,
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        for i in reversed(range(len(scored))):
            _draw(canvas, scored[i].result.boxes[number] * scale,
                  _bgr(style_of(i)[0]), 2)
        truth = sequence.truth[number]
        caption = f'frame {number}: '
        if np.isnan(truth).any():
            caption += 'target absent'
        else:
            # White with a dark rim is seen on everything.
            _draw(canvas, truth * scale, (20, 20, 20), 3)
            _draw(canvas, truth * scale, (255, 255, 255), 1)
            caption += f'overlap {scored[0].iou[number]:.2f}'
        tiles.append(Tile(canvas, caption))
    return tiles


def encode_jpeg(image: np.ndarray) -> bytes:
    """A picture as a file.

    Args:
        image (np.ndarray): (H, W, 3) uint8, BGR.

    Returns:
        bytes: A JPEG file.
    """
    return cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY,
                                        82])[1].tobytes()


def _draw(canvas: np.ndarray, box: np.ndarray, color: Sequence[int],
          thickness: int) -> None:
    if not np.isfinite(box).all():
        return
    x, y, w, h = box
    limit = 4 * max(canvas.shape)
    points = np.clip([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], -limit,
                     limit)
    cv2.polylines(canvas, [np.rint(points * 2**_SHIFT).astype(np.int32)], True,
                  tuple(color), thickness, cv2.LINE_AA, _SHIFT)


def _bgr(color: str) -> Sequence[int]:
    """From ``'#rrggbb'``."""
    return tuple(int(color[i:i + 2], 16) for i in (5, 3, 1))
