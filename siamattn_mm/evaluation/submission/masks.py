"""DAVIS's and YouTube-VOS's submissions: masks."""
import io
import os.path as osp
from collections import OrderedDict
from typing import Dict, Iterator, List, NamedTuple, Tuple

import numpy as np
from PIL import Image

from siamattn_mm.datasets.benchmarks import BenchmarkSequence
from siamattn_mm.datasets.reading.image_reader import (
    ImageReader,
    UnreadableFrameError,
)

from .files import (
    SubmissionError,
    parse_rows,
    read_text,
    read_zip,
    write_zip,
)
from .palette import encode_palette_png


class _Target(NamedTuple):
    """One object in one frame."""
    sequence: BenchmarkSequence
    index: int  # of the frame in the sequence

    @property
    def number(self) -> int:
        """What it gets in the files."""
        return self.sequence.object_id or 1


def make_masks(results_dir: str,
               sequences: List[BenchmarkSequence],
               out: str,
               prefix: str = '') -> None:
    """Put the objects of each video together, a palette PNG a frame.

    Each object was tracked by itself. Where masks overlap, the object with
    the higher score in that frame gets the pixel. In the first frame of an
    object, it is its given mask.

    Args:
        results_dir (str): Folder of ``OPEMetric(save_masks=True)``.
        sequences (list[BenchmarkSequence]): One an object.
        out (str): The archive to write: ``<prefix><video>/<frame>.png``.
        prefix (str): E.g. ``'Annotations/'``. Defaults to ''.

    Raises:
        SubmissionError: If a result is missing or wrong.
    """
    reader = ImageReader()
    scores: Dict[str, np.ndarray] = {}

    def members() -> Iterator[Tuple[str, bytes]]:
        for member, targets in _frames(sequences, prefix).items():
            numbers, best = None, None
            for target in targets:
                name = target.sequence.name
                if name not in scores:
                    path = osp.join(results_dir, f'{name}_score.txt')
                    scores[name] = parse_rows(
                        read_text(path), path, 1, len(target.sequence))[:, 0]
                mask, score = _mask_of(results_dir, target, scores[name],
                                       reader)
                if numbers is None:
                    numbers = np.zeros(mask.shape, dtype=np.uint8)
                    best = np.full(mask.shape, -np.inf)
                if mask.shape != numbers.shape:
                    raise SubmissionError(
                        f'{results_dir}: the masks of {name} for {member} '
                        f'have {mask.shape} pixels, those of another object '
                        f'{numbers.shape}')
                wins = mask & (score > best)
                numbers[wins] = target.number
                best[wins] = score
            yield member, encode_palette_png(numbers)

    write_zip(out, members())


def check_masks(path: str,
                sequences: List[BenchmarkSequence],
                prefix: str = '') -> None:
    """Read an archive of masks back.

    Args:
        path (str): The archive.
        sequences (list[BenchmarkSequence]): One an object.
        prefix (str): As it was made. Defaults to ''.

    Raises:
        SubmissionError: If a frame is missing or too many, is no palette PNG
            of its image's size, or has a number that is no object.
    """
    frames = _frames(sequences, prefix)
    for member, content in read_zip(path, frames).items():
        where = f'{path}: {member}'
        try:
            with Image.open(io.BytesIO(content)) as image:
                mode, size = image.mode, image.size
                numbers = np.unique(np.array(image))
        except (OSError, ValueError) as error:
            raise SubmissionError(f'{where}: not an image ({error})'
                                  ) from error
        if mode != 'P':
            raise SubmissionError(f'{where}: mode {mode!r}; expected a '
                                  'palette image')
        target = frames[member][0]
        with Image.open(target.sequence.frame_path(target.index)) as image:
            if image.size != size:
                raise SubmissionError(f'{where}: {size[0]}x{size[1]} pixels; '
                                      f'its frame has {image.size[0]}x'
                                      f'{image.size[1]}')
        unknown = set(numbers.tolist()) - {0} - {
            target.number for target in frames[member]
        }
        if unknown:
            raise SubmissionError(f'{where}: number {min(unknown)} is no '
                                  'object of this frame')


def _frames(sequences: List[BenchmarkSequence],
            prefix: str) -> 'OrderedDict[str, List[_Target]]':
    """Members of the archive, and the objects in each."""
    frames = OrderedDict()
    for sequence in sequences:
        for i in range(len(sequence)):
            folder, image = osp.split(sequence.frame_path(i))
            stem = osp.splitext(image)[0]
            member = f'{prefix}{osp.basename(folder)}/{stem}.png'
            frames.setdefault(member, []).append(_Target(sequence, i))
    return frames


def _mask_of(results_dir: str, target: _Target, scores: np.ndarray,
             reader: ImageReader) -> Tuple[np.ndarray, float]:
    """(H, W) bool and the score."""
    sequence, index = target.sequence, target.index
    if index == 0:
        mask = _read(sequence.mask_path(0), reader)
        number = sequence.object_id
        return (mask > 0 if number is None else mask == number), np.inf
    stem = osp.splitext(osp.basename(sequence.frame_path(index)))[0]
    path = osp.join(results_dir, sequence.name, f'{stem}.png')
    return _read(path, reader) > 0, float(scores[index])


def _read(path: str, reader: ImageReader) -> np.ndarray:
    try:
        return reader.mask(path)
    except UnreadableFrameError as error:
        raise SubmissionError(
            f'{error}; masks are there after a test with OPEMetric('
            'save_masks=True) of a model with a mask head') from error
