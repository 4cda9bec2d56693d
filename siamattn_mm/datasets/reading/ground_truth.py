"""Ground truth in text files, and whether it can be true."""
import logging
import math
from typing import List, NoReturn, Optional, Tuple
from typing import Sequence as SequenceOf

import numpy as np
from mmengine.logging import print_log

from ..errors import DataError
from .decimal_commas import decimal_commas
from .number_line import parse_numbers

# No frame has as many pixels in a row.
_LARGEST = 1e7


class SequenceFolderError(DataError):
    """A folder does not have the layout of this module.

    The message names the file, and the line where there is one.
    """


def enclosing_boxes(polygons: np.ndarray) -> np.ndarray:
    """The upright rectangles around the corners of polygons.

    Args:
        polygons (ndarray): (..., 2 * K) x1, y1, x2, y2, ... in pixels.

    Returns:
        ndarray: (..., 4) x, y, w, h; nan where a coordinate is nan.
    """
    x, y = polygons[..., 0::2], polygons[..., 1::2]
    left, top = x.min(axis=-1), y.min(axis=-1)
    return np.stack(
        [left, top, x.max(axis=-1) - left,
         y.max(axis=-1) - top], axis=-1)


def read_ground_truth(
        path: str) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Read a ground truth file.

    Args:
        path (str): The text file, one line per frame. Empty lines at its end
            are ignored.

    Returns:
        tuple[ndarray, ndarray | None]: (N, 4) float32 x, y, w, h in pixels
        and (N, 8) float32 corners, nan where the target is absent. The
        second is None if no line has 8 numbers; where only some have, the
        boxes of the others are turned into corners.

    Raises:
        SequenceFolderError: If a line has not 4 or 8 numbers, a word that is
            no number, an infinite or only some nan numbers, one beyond any
            frame, or a negative size; if it could be read in two ways; or if
            the file is empty.
    """
    # A byte order mark is no part of the first number, and bytes that are no
    # text are reported as what they are: not a number.
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        lines = file.read().rstrip().splitlines()
    if not lines:
        raise SequenceFolderError(
            f'{path}, line 1: the file is empty; expected one line per frame')
    rows = [
        _parse_line(line, path, number)
        for number, line in enumerate(lines, start=1)
    ]
    found = decimal_commas(lines)
    if found is not None:
        raise SequenceFolderError(f'{path}, line {found[0] + 1}: {found[1]}')
    polygons = np.array([_corners(row) for row in rows], dtype=np.float64)
    boxes = enclosing_boxes(polygons)
    absent = ~((boxes[:, 2] > 0) & (boxes[:, 3] > 0))
    for i, row in enumerate(rows):
        if len(row) == 4:
            boxes[i] = row  # x + w - x is not always w
    boxes[absent] = polygons[absent] = np.nan
    has_polygons = any(len(row) == 8 for row in rows)
    return (boxes.astype(np.float32),
            polygons.astype(np.float32) if has_polygons else None)


def check_length(path: str, lines: int, frame_names: SequenceOf[str]) -> None:
    """Refuse a file that has not one line per frame.

    Args:
        path (str): The file.
        lines (int): Its number of lines.
        frame_names (Sequence[str]): The images.

    Raises:
        SequenceFolderError: If the numbers differ.
    """
    frames = len(frame_names)
    if lines == frames:
        return
    where = (f'{lines} lines for {frames} frames, {frame_names[0]} to '
             f'{frame_names[-1]}; expected one line per frame')
    if lines < frames:
        raise SequenceFolderError(
            f'{path}, line {lines}: the last line, but there are {where}')
    raise SequenceFolderError(
        f'{path}, line {frames + 1}: one line too many; there are {where}')


def check_inside(path: str, boxes: np.ndarray,
                 size: Tuple[int, int]) -> None:
    """Refuse boxes that belong to other frames than these.

    One box that lies outside of its frame may be a slip, and is said once a
    file. The first one, or most of them, are of a video of another size, or
    no pixels at all.

    Args:
        path (str): Where they are from, for the message.
        boxes (ndarray): (N, 4) x, y, w, h, nan where the target is absent.
        size (tuple[int, int]): Width and height of the frames in pixels.

    Raises:
        SequenceFolderError: If the first box or most of them lie wholly
            outside of the frames, or all of them are shares of the frame.
    """
    known = np.flatnonzero(~np.isnan(boxes).any(axis=1))
    if not len(known):
        return
    width, height = size
    x, y, w, h = boxes[known].T
    if max(size) > 2 and boxes[known].min() >= 0 and boxes[known].max() <= 1:
        raise SequenceFolderError(
            f'{path}, line {known[0] + 1}: the box is smaller than a pixel, '
            'as all of them are; expected pixels, not shares of the frame, '
            f'which is {width}x{height}')
    if ((x + w > width) | (y + h > height)).all() and (
            (w > x) & (h > y) & (w <= width) & (h <= height)).all():
        print_log(
            f'{path}: all boxes reach beyond the frame of {width}x{height} '
            'pixels, but would not as x1,y1,x2,y2; x,y,w,h is expected',
            logger='current',
            level=logging.WARNING)
    outside = (x >= width) | (y >= height) | (x + w <= 0) | (y + h <= 0)
    if not outside.any():
        return
    first = known[outside][0]
    box = ','.join(f'{value:g}' for value in boxes[first])
    message = (f'{path}, line {first + 1}: the box {box} lies outside of the '
               f'frame of {width}x{height} pixels')
    if outside.sum() > 1:
        message += f', as do {outside.sum()} of {len(known)}'
    if outside[0] or 2 * outside.sum() > len(known):
        raise SequenceFolderError(message)
    print_log(message, logger='current', level=logging.WARNING)


def _parse_line(line: str, path: str, number: int) -> List[float]:

    def fail(reason: str) -> NoReturn:
        raise SequenceFolderError(f'{path}, line {number}: {reason}')

    try:
        values = parse_numbers(line, (4, 8))
    except ValueError as error:
        fail(str(error))
    if len(values) not in (4, 8):
        fail(f'{len(values)} numbers; expected 4 (x, y, w, h) or 8 (corners)')
    nans = sum(math.isnan(value) for value in values)
    if nans not in (0, len(values)):
        fail('some numbers are nan; expected all of them (target absent) or '
             'none')
    if any(math.isinf(value) for value in values):
        fail('a number is infinite')
    if any(abs(value) > _LARGEST for value in values):
        fail(f'{max(values, key=abs):g} is no place in pixels')
    if len(values) == 4 and min(values[2:]) < 0:
        fail(f'negative size {values[2]:g}x{values[3]:g}')
    return values


def _corners(row: List[float]) -> List[float]:
    if len(row) == 8:
        return row
    x, y, w, h = row
    return [x, y, x + w, y, x + w, y + h, x, y + h]
