"""Reading a folder of annotated sequences (GOT-10k / OTB layout).

.. code-block:: none

    data_root
    ├── Deer
    │   ├── img/00000001.jpg ...     (or the images directly in Deer/)
    │   ├── groundtruth.txt          (or groundtruth_rect.txt)
    │   └── masks/00000001.png ...   (optional: > 0 is the target)
    └── Skiing ...

A line of the ground truth belongs to one frame, in the natural order of the
image names (``2.jpg`` before ``10.jpg``), and is one of

- ``x,y,w,h``: the top left corner, counted from 0, and the size, in pixels;
- ``x1,y1,...,x4,y4``: the corners of a rotated box, as VOT has them;
- ``nan`` four or eight times: the target is not visible. So is a box without
  area (``0,0,0,0``), the way LaSOT and UAV123 mark it.

Commas, tabs and spaces separate the numbers. Coordinates are taken as they
are: the original OTB files count from 1, which is one pixel off everywhere.

Nothing here decodes an image, and nothing knows about training or testing.
"""
import math
import os
import os.path as osp
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import List, NoReturn, Optional, Tuple, Union
from typing import Sequence as SequenceOf

import numpy as np
from PIL import Image

from .string_table import StringTable

GROUND_TRUTH_NAMES = ('groundtruth.txt', 'groundtruth_rect.txt')
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
IMAGE_FOLDER = 'img'
MASK_FOLDER = 'masks'
_SEPARATOR = re.compile(r'\s*,\s*|\s+')


class SequenceFolderError(ValueError):
    """A folder does not have the layout of this module.

    The message names the file, and the line where there is one.
    """


@dataclass(frozen=True, eq=False)
class TrackingSequence:
    """One video with the target's place in each of its N frames.

    Nothing in it is one Python object per frame, so it can be shared between
    data loader workers.

    Args:
        name (str): The folder's name.
        folder (str): The folder's path.
        frame_names (StringTable): N image files, relative to ``folder``.
        boxes (ndarray): (N, 4) float32 x, y, w, h in image pixels, nan where
            the target is absent. Of a polygon, it is the upright rectangle
            around the corners.
        polygons (ndarray, optional): (N, 8) float32 x1, y1, ..., x4, y4, nan
            where the target is absent; None if every line has 4 numbers.
        mask_names (StringTable, optional): N mask files, relative to
            ``folder``; None if the sequence has no masks.
    """
    name: str
    folder: str
    frame_names: StringTable
    boxes: np.ndarray
    polygons: Optional[np.ndarray] = None
    mask_names: Optional[StringTable] = None

    def __len__(self) -> int:
        """Number of frames N."""
        return len(self.boxes)

    @property
    def visible(self) -> np.ndarray:
        """ndarray: (N,) bool, False where the target is absent."""
        return ~np.isnan(self.boxes[:, 0])

    def frame_path(self, index: int) -> str:
        """Path of the image of frame ``index`` (from 0)."""
        return osp.join(self.folder, self.frame_names[index])

    def mask_path(self, index: int) -> Optional[str]:
        """Path of the mask of frame ``index``, None without masks."""
        if self.mask_names is None:
            return None
        return osp.join(self.folder, self.mask_names[index])

    @property
    def frame_paths(self) -> List[str]:
        """list[str]: Paths of all images."""
        return [self.frame_path(i) for i in range(len(self))]

    @property
    def mask_paths(self) -> Optional[List[str]]:
        """list[str] | None: Paths of all masks."""
        if self.mask_names is None:
            return None
        return [self.mask_path(i) for i in range(len(self))]


def natural_key(name: str) -> tuple:
    """Sort key that puts ``2.jpg`` before ``10.jpg``.

    Args:
        name (str): A file name.

    Returns:
        tuple: The name cut into text and numbers; the name itself decides
        between ``1.jpg`` and ``01.jpg``.
    """
    parts = re.split(r'(\d+)', name)
    numbers = [int(part) for part in parts[1::2]]
    # Text and numbers alternate, so like is always compared with like.
    key = [part for pair in zip(parts[::2], numbers) for part in pair]
    return tuple(key + [parts[-1], name])


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


def find_sequences(
        data_root: str,
        sequences: Union[None, str,
                         SequenceOf[str]] = None) -> List[str]:
    """The sequence folders of a data set.

    Files beside the folders and hidden folders are ignored.

    Args:
        data_root (str): The folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns
            (``'davis-*'``) of the wanted ones. Defaults to None: all.

    Returns:
        list[str]: Their paths, in the natural order of the names.

    Raises:
        SequenceFolderError: If the folder is absent or holds no folder, or
            if a name or pattern fits none.
    """
    data_root = osp.expanduser(data_root or '')
    if not osp.isdir(data_root):
        raise SequenceFolderError(
            f'data_root {data_root!r} is not a folder; expected a folder that '
            'holds one folder for each sequence')
    names = sorted((entry.name for entry in os.scandir(data_root)
                    if entry.is_dir() and not entry.name.startswith('.')),
                   key=natural_key)
    if _find_ground_truth(data_root) is not None:
        raise SequenceFolderError(
            f'data_root {data_root!r} is itself a sequence: give the folder '
            f'above it and sequences={osp.basename(osp.abspath(data_root))!r}')
    if not names:
        raise SequenceFolderError(
            f'data_root {data_root!r} holds no sequence folder; expected '
            f'<sequence>/{IMAGE_FOLDER}/*.jpg and '
            f'<sequence>/{GROUND_TRUTH_NAMES[0]}')
    if sequences is not None:
        names = select_sequences(names, sequences, data_root)
    return [osp.join(data_root, name) for name in names]


def read_sequence(path: str) -> TrackingSequence:
    """Read the names and the ground truth of one sequence.

    Args:
        path (str): The sequence's folder.

    Returns:
        TrackingSequence: Its arrays.

    Raises:
        SequenceFolderError: If the folder is absent or holds no images; if
            the ground truth is missing, malformed, or has another number of
            lines than there are frames; if there are masks, but another
            number of them, or the first has another size than its frame.
    """
    if not osp.isdir(path):
        raise SequenceFolderError(f'sequence {path!r} is not a folder')
    frame_names = _list_images(path)
    truth_path = _find_ground_truth(path)
    if truth_path is None:
        raise SequenceFolderError(
            f'{osp.join(path, GROUND_TRUTH_NAMES[0])}: no such file; each '
            f'sequence needs {" or ".join(GROUND_TRUTH_NAMES)}')
    boxes, polygons = read_ground_truth(truth_path)
    check_length(truth_path, len(boxes), frame_names)
    mask_names = _list_masks(path, frame_names)
    return TrackingSequence(
        name=osp.basename(osp.abspath(path)),
        folder=path,
        frame_names=StringTable(frame_names),
        boxes=boxes,
        polygons=polygons,
        mask_names=None if mask_names is None else StringTable(mask_names))


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
            no number, an infinite or only some nan numbers, or a negative
            size; or if the file is empty.
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


def _parse_line(line: str, path: str, number: int) -> List[float]:

    def fail(reason: str) -> NoReturn:
        raise SequenceFolderError(f'{path}, line {number}: {reason}')

    values = []
    for word in _SEPARATOR.split(line.strip()):
        try:
            values.append(float(word))
        except ValueError:
            fail(f'{word!r} is not a number')
    if len(values) not in (4, 8):
        fail(f'{len(values)} numbers; expected 4 (x, y, w, h) or 8 (corners)')
    nans = sum(math.isnan(value) for value in values)
    if nans not in (0, len(values)):
        fail('some numbers are nan; expected all of them (target absent) or '
             'none')
    if any(math.isinf(value) for value in values):
        fail('a number is infinite')
    if len(values) == 4 and min(values[2:]) < 0:
        fail(f'negative size {values[2]:g}x{values[3]:g}')
    return values


def _corners(row: List[float]) -> List[float]:
    if len(row) == 8:
        return row
    x, y, w, h = row
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def select_sequences(names: List[str], patterns: Union[str, SequenceOf[str]],
                     data_root: str) -> List[str]:
    """Choose among the sequences of a data set.

    Args:
        names (list[str]): All of them.
        patterns (str | Sequence[str]): Names or patterns (``'davis-*'``) of
            the wanted ones. With a ``!`` in front (``'!davis-camel'``) of
            unwanted ones; alone, they leave all others.
        data_root (str): For the messages.

    Returns:
        list[str]: Those that fit, in the order of ``names``.

    Raises:
        SequenceFolderError: If a name or pattern fits none.
    """
    if isinstance(patterns, str):
        patterns = [patterns]
    only_unwanted = bool(patterns) and all(
        pattern.startswith('!') for pattern in patterns)
    chosen, unwanted = set(names if only_unwanted else ()), set()
    for pattern in patterns:
        group = unwanted if pattern.startswith('!') else chosen
        pattern = pattern[pattern.startswith('!'):]
        # A name with brackets in it is itself before it is a pattern.
        fitting = [name for name in names if name == pattern] or [
            name for name in names if fnmatchcase(name, pattern)
        ]
        if not fitting:
            raise SequenceFolderError(
                f'no sequence in {data_root!r} fits {pattern!r}; there are: '
                f'{", ".join(names)}')
        group.update(fitting)
    chosen -= unwanted
    if not chosen:
        raise SequenceFolderError(
            f'sequences={list(patterns)} of {data_root!r} is empty; leave it '
            'out to take all of them')
    return [name for name in names if name in chosen]


def _find_ground_truth(path: str) -> Optional[str]:
    for name in GROUND_TRUTH_NAMES:
        if osp.isfile(osp.join(path, name)):
            return osp.join(path, name)
    return None


def list_files(path: str, suffixes: Tuple[str, ...]) -> List[str]:
    """Names of the files of some kinds in a folder.

    Args:
        path (str): The folder.
        suffixes (tuple[str, ...]): What their names end with, in lower case.

    Returns:
        list[str]: In natural order, without hidden ones.
    """
    # macOS leaves "._00000001.jpg" files that are no images.
    names = [
        name for name in os.listdir(path)
        if name.lower().endswith(suffixes) and not name.startswith('.')
    ]
    return sorted(names, key=natural_key)


def _list_images(path: str) -> List[str]:
    prefix = IMAGE_FOLDER if osp.isdir(osp.join(path, IMAGE_FOLDER)) else ''
    folder = osp.join(path, prefix)
    names = list_files(folder, IMAGE_SUFFIXES)
    if not names:
        raise SequenceFolderError(
            f'no images in {folder!r}; expected {", ".join(IMAGE_SUFFIXES)} '
            f'files there or in {osp.join(path, IMAGE_FOLDER)!r}')
    return [osp.join(prefix, name) for name in names]


def _list_masks(path: str, frame_names: List[str]) -> Optional[List[str]]:
    folder = osp.join(path, MASK_FOLDER)
    if not osp.isdir(folder):
        return None
    names = [
        osp.join(MASK_FOLDER, name) for name in list_files(folder, ('.png', ))
    ]
    if len(names) != len(frame_names):
        raise SequenceFolderError(
            f'{folder}: {len(names)} masks for {len(frame_names)} frames; '
            'expected one .png per frame')
    # Only the headers of the first pair: reading all of them takes minutes
    # for a large data set. Whoever decodes a mask compares its size again.
    mask_size = image_size(osp.join(path, names[0]))
    frame_size = image_size(osp.join(path, frame_names[0]))
    if mask_size != frame_size:
        raise SequenceFolderError(
            f'{osp.join(path, names[0])}: mask of {mask_size[0]}x'
            f'{mask_size[1]} pixels for a frame of {frame_size[0]}x'
            f'{frame_size[1]}')
    return names


def image_size(path: str) -> Tuple[int, int]:
    """Size of an image, of which only the header is read.

    Args:
        path (str): The file.

    Returns:
        tuple[int, int]: Width and height.

    Raises:
        SequenceFolderError: If it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except OSError as error:
        raise SequenceFolderError(
            f'{path}: cannot be read ({error})') from error
