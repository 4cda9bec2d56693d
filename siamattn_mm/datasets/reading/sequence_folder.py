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

Commas, tabs and spaces separate the numbers; a line that could be read in two
ways, as with decimal commas, is refused. Coordinates are taken as they
are: the original OTB files count from 1, which is one pixel off everywhere.

Nothing here decodes an image, and nothing knows about training or testing.
"""
import logging
import os
import os.path as osp
from fnmatch import fnmatchcase
from typing import List, Optional, Union
from typing import Sequence as SequenceOf

import numpy as np
from mmengine.logging import print_log

from ..storage.string_table import StringTable
from .ground_truth import (
    SequenceFolderError,
    check_inside,
    check_length,
    read_ground_truth,
)
from .image_files import IMAGE_SUFFIXES, image_size, list_files, natural_key
from .tracking_sequence import TrackingSequence

GROUND_TRUTH_NAMES = ('groundtruth.txt', 'groundtruth_rect.txt')
IMAGE_FOLDER = 'img'
MASK_FOLDER = 'masks'


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
            lines than there are frames; if its boxes lie outside of the
            frames or are shares of them; if there are masks, but another
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
    check_fits(truth_path, boxes, osp.join(path, frame_names[0]))
    mask_names = _list_masks(path, frame_names)
    return TrackingSequence(
        name=osp.basename(osp.abspath(path)),
        folder=path,
        frame_names=StringTable(frame_names),
        boxes=boxes,
        polygons=polygons,
        mask_names=None if mask_names is None else StringTable(mask_names))


def select_sequences(names: List[str], patterns: Union[str, SequenceOf[str]],
                     data_root: str) -> List[str]:
    """Choose among the sequences of a data set.

    Args:
        names (list[str]): All of them.
        patterns (str | Sequence[str]): Names or patterns (``'davis-*'``) of
            the wanted ones. With a ``!`` in front (``'!davis-camel'``) of
            unwanted ones; alone, they leave all others. Those that are not
            there are named in the log.
        data_root (str): For the messages.

    Returns:
        list[str]: Those that fit, in the order of ``names``.

    Raises:
        SequenceFolderError: If a wanted name or pattern fits none, or none
            is left.
    """
    if isinstance(patterns, str):
        patterns = [patterns]
    only_unwanted = bool(patterns) and all(
        pattern.startswith('!') for pattern in patterns)
    chosen, unwanted = set(names if only_unwanted else ()), set()
    absent: List[str] = []
    for pattern in patterns:
        group = unwanted if pattern.startswith('!') else chosen
        pattern = pattern[pattern.startswith('!'):]
        # A name with brackets in it is itself before it is a pattern.
        fitting = [name for name in names if name == pattern] or [
            name for name in names if fnmatchcase(name, pattern)
        ]
        if not fitting and group is unwanted:
            # One list of them may serve several data sets.
            absent.append(pattern)
        elif not fitting:
            raise SequenceFolderError(
                f'no sequence in {data_root!r} fits {pattern!r}; there are: '
                f'{", ".join(names)}')
        group.update(fitting)
    if absent:
        print_log(
            f'{data_root!r} has no sequences to leave out that fit '
            f'{", ".join(map(repr, absent))}',
            logger='current',
            level=logging.WARNING)
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


def check_fits(path: str, boxes: np.ndarray, first_frame: str) -> None:
    """Refuse ground truth of other frames; see :func:`check_inside`.

    Args:
        path (str): The ground truth, for the message.
        boxes (ndarray): (N, 4) x, y, w, h, nan where the target is absent.
        first_frame (str): The first image. If it cannot be read nothing is
            said here: whoever decodes it names it.

    Raises:
        SequenceFolderError: As :func:`check_inside`.
    """
    try:
        size = image_size(first_frame)
    except SequenceFolderError:
        return
    check_inside(path, boxes, size)
