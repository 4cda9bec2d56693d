"""A few pictures of a video, side by side."""
from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

BACKGROUND = 255
TEXT_COLOR = (60, 60, 60)
_GAP = 8
_TEXT_HEIGHT = 22


class Tile(NamedTuple):
    """One picture of a strip.

    Attributes:
        image (np.ndarray): (H, W, 3) uint8, BGR.
        caption (str): Written above it.
    """
    image: np.ndarray
    caption: str


class EvenPicks:
    """A few evenly spaced tiles of a video, however long it becomes.

    Args:
        count (int): How many tiles :attr:`tiles` gives at most.
        tile_width (int): Images are made this wide. Defaults to 320.

    Raises:
        ValueError: If ``count`` or ``tile_width`` is less than 1.
    """

    def __init__(self, count: int, tile_width: int = 320) -> None:
        if count < 1 or tile_width < 1:
            raise ValueError('count and tile_width must be 1 or more, but got '
                             f'{count} and {tile_width}')
        self.count = count
        self.tile_width = tile_width
        self._kept: List[Tuple[int, Tile]] = []
        self._step = 1
        self._seen = 0

    def add(self, image: np.ndarray, caption: str) -> None:
        """Take the next picture.

        Args:
            image (np.ndarray): (H, W, 3) uint8, BGR.
            caption (str): For the case that it is picked.
        """
        index = self._seen
        self._seen += 1
        # The last one is kept whatever its number, until the next comes.
        if self._kept and self._kept[-1][0] % self._step:
            self._kept.pop()
        if len(self._kept) >= 16 * self.count:
            self._step *= 2
            self._kept = [
                kept for kept in self._kept if not kept[0] % self._step
            ]
        self._kept.append((index, Tile(self._resized(image), caption)))

    @property
    def tiles(self) -> List[Tile]:
        """list[Tile]: The first, the last, and evenly spaced ones between."""
        if not self._kept:
            return []
        wanted = np.linspace(0, self._seen - 1, min(self.count, self._seen))
        numbers = np.array([index for index, _ in self._kept])
        chosen = [int(np.abs(numbers - number).argmin()) for number in wanted]
        return [self._kept[i][1] for i in sorted(set(chosen))]

    def _resized(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        size = (self.tile_width,
                max(1, round(height * self.tile_width / width)))
        shrinks = self.tile_width < width
        return cv2.resize(
            image,
            size,
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def make_strip(tiles: Sequence[Tile], columns: int = 4) -> np.ndarray:
    """Lay pictures out on a grid, row by row, captions above them.

    Args:
        tiles (Sequence[Tile]): Images of one size.
        columns (int): Pictures in a row. Defaults to 4.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR, on white.

    Raises:
        ValueError: If there are no pictures or they differ in size.
    """
    shapes = {tile.image.shape for tile in tiles}
    if len(shapes) != 1:
        raise ValueError('a strip takes one or more images of one size, but '
                         f'got {sorted(shapes)}')
    height, width = shapes.pop()[:2]
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    cell_height, cell_width = height + _TEXT_HEIGHT, width + _GAP
    strip = np.full((rows * cell_height + _GAP, columns * cell_width + _GAP,
                     3), BACKGROUND, np.uint8)
    for i, tile in enumerate(tiles):
        x = _GAP + i % columns * cell_width
        y = i // columns * cell_height + _TEXT_HEIGHT
        strip[y:y + height, x:x + width] = tile.image
        cv2.putText(strip, tile.caption, (x, y - 7), cv2.FONT_HERSHEY_SIMPLEX,
                    0.42, TEXT_COLOR, 1, cv2.LINE_AA)
    return strip
