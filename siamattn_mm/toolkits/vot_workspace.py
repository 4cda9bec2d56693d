"""Workspaces of the VOT toolkit from a folder of sequences."""
import configparser
import os
import os.path as osp
import re
import shlex
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import yaml

from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.datasets.reading.image_reader import (
    UnreadableFrameError,
    decode_values,
    read_bytes,
)
from siamattn_mm.datasets.reading.sequence_folder import (
    find_sequences,
    read_sequence,
)
from siamattn_mm.datasets.reading.tracking_sequence import TrackingSequence
from siamattn_mm.datasets.storage.string_table import StringTable
from siamattn_mm.evaluation.functional.vot import SKIP_FRAMES
from siamattn_mm.utils.files import whole_folder

_IDENTIFIER = re.compile(r'[a-zA-Z0-9_-]+')
_EXPERIMENT = 'siamattn_mm.toolkits.vot_experiment.SupervisedExperiment'


class TrackerEntry(NamedTuple):
    """A tracker of ``trackers.ini``.

    Attributes:
        command (list[str]): Program and arguments; it runs in a folder of its
            own, so every path in it is absolute.
        name (str): Letters, digits, ``-`` and ``_``. Defaults to 'siamattn'.
        timeout (int): Seconds that it has to start, and for each frame.
            Defaults to 300.
    """
    command: Sequence[str]
    name: str = 'siamattn'
    timeout: int = 300


def make_workspace(data_root: str,
                   workspace: str,
                   tracker: TrackerEntry,
                   sequences: Optional[Sequence[str]] = None,
                   num_frames: Optional[int] = None,
                   interval: Optional[Tuple[int, int]] = None,
                   repetitions: int = 1,
                   unsupervised: bool = False) -> List[str]:
    """Write a workspace that ``vot evaluate`` and ``vot analysis`` take.

    It holds the supervised experiment, as ``baseline``. Images are symbolic
    links. The folder is there complete, or not at all. Needs no vot-toolkit.

    Args:
        data_root (str): Folder of sequences, see
            :mod:`siamattn_mm.datasets.reading.sequence_folder`.
        workspace (str): The new folder; may exist if it is empty.
        tracker (TrackerEntry): The tracker to evaluate.
        sequences (Sequence[str], optional): Names or patterns of the wanted
            ones. Defaults to None: all.
        num_frames (int, optional): Only the first frames of each.
            Defaults to None: all.
        interval (tuple[int, int], optional): First and last frame of EAO,
            e.g. ``EAO_INTERVALS[2018]``. Defaults to None: the lengths that
            half of the sequences have.
        repetitions (int): Passes over each sequence; 15 for a stochastic
            tracker. Defaults to 1.
        unsupervised (bool): Add an experiment without restarts.
            Defaults to False.

    Returns:
        list[str]: The sequences' names.

    Raises:
        SequenceFolderError: If a sequence is not as it should be, or the
            target is absent in one of its frames; with file and line.
        FileExistsError: If there is something in ``workspace``.
        ValueError: If a number is less than 1, the name is not allowed, or
            no sequence is as long as the interval's first frame.
    """
    if not _IDENTIFIER.fullmatch(tracker.name):
        raise ValueError(f'the tracker is called {tracker.name!r}; VOT wants '
                         'letters, digits, "-" and "_" alone')
    for name, value in (('number of frames', num_frames),
                        ('number of repetitions', repetitions)):
        if value is not None and value < 1:
            raise ValueError(f'the {name} must be at least 1, but got {value}')
    workspace = osp.abspath(workspace)
    if osp.lexists(workspace) and not (osp.isdir(workspace)
                                       and not os.listdir(workspace)):
        raise FileExistsError(f'{workspace!r} exists and is not empty; '
                              'choose another folder')
    found = [
        _shortened(read_sequence(path), num_frames)
        for path in find_sequences(data_root, sequences)
    ]
    interval = check_interval([len(sequence) for sequence in found], interval)

    with whole_folder(workspace) as temporary:
        for sequence in found:
            _write_sequence(
                osp.join(temporary, 'sequences', sequence.name), sequence)
        _write(osp.join(temporary, 'sequences', 'list.txt'),
               ''.join(f'{sequence.name}\n' for sequence in found))
        _write(osp.join(temporary, 'stack.yaml'),
               yaml.safe_dump(
                   _stack(interval, repetitions, unsupervised),
                   sort_keys=False))
        _write(osp.join(temporary, 'config.yaml'),
               yaml.safe_dump(
                   dict(stack='./stack.yaml', registry=['./trackers.ini'])))
        _write_trackers(osp.join(temporary, 'trackers.ini'), tracker)
        os.makedirs(osp.join(temporary, 'results'))
    return [sequence.name for sequence in found]


def check_interval(
        lengths: Sequence[int],
        interval: Optional[Tuple[int, int]] = None) -> Tuple[int, int]:
    """The interval of EAO, or one that fits the sequences.

    Args:
        lengths (Sequence[int]): Numbers of frames.
        interval (tuple[int, int], optional): First and last frame behind the
            initialisation. Defaults to None: from the first to the third
            quartile of the lengths.

    Returns:
        tuple[int, int]: First and last frame.

    Raises:
        ValueError: If it is no interval, or starts behind the end of the
            longest sequence.
    """
    if interval is None:
        low, high = np.percentile(np.asarray(lengths) - 1, (25, 75)).round()
        return max(int(low), 1), max(int(high), 1)
    low, high = interval
    if not 0 < low <= high:
        raise ValueError('the EAO interval is the first and the last frame, '
                         f'but got {low} and {high}')
    if low >= max(lengths):
        raise ValueError(
            f'EAO over the frames {low} to {high} needs a sequence of more '
            f'than {low} frames, but the longest has {max(lengths)}')
    return low, high


def _shortened(sequence: TrackingSequence,
               num_frames: Optional[int]) -> TrackingSequence:
    """The first frames of a sequence; the target is in all of them."""
    end = len(sequence) if num_frames is None else num_frames
    absent = np.flatnonzero(~sequence.visible[:end])
    if len(absent):
        line = absent[0] + 1
        hint = (f'take fewer than {line} frames, or leave this sequence out'
                if line > 1 else 'leave this sequence out')
        raise SequenceFolderError(
            f'{sequence.folder}, line {line} of the ground truth: the target '
            'is absent, but VOT needs it in every frame; ' + hint)
    return TrackingSequence(
        name=sequence.name,
        folder=sequence.folder,
        frame_names=StringTable([
            sequence.frame_names[i] for i in range(min(end, len(sequence)))
        ]),
        boxes=sequence.boxes[:end],
        polygons=None
        if sequence.polygons is None else sequence.polygons[:end])


def _write_sequence(folder: str, sequence: TrackingSequence) -> None:
    # The name only has to fit a pattern: what is in the file decides how it
    # is read, so that .jpeg and .bmp files are welcome too.
    suffix = '.png' if sequence.frame_names[0].endswith('.png') else '.jpg'
    os.makedirs(osp.join(folder, 'color'))
    for i in range(len(sequence)):
        os.symlink(
            osp.abspath(sequence.frame_path(i)),
            osp.join(folder, 'color', f'{i + 1:08d}{suffix}'))
    path = sequence.frame_path(0)
    try:
        first = decode_values(read_bytes(path), path)
    except UnreadableFrameError as error:
        raise SequenceFolderError(
            f'{path}: cannot be read as an image') from error
    regions = (sequence.boxes
               if sequence.polygons is None else sequence.polygons)
    _write(osp.join(folder, 'groundtruth.txt'), ''.join(
        ','.join(f'{number:.4f}' for number in region) + '\n'
        for region in regions))
    properties = {
        'name': sequence.name,
        'format': 'default',
        'fps': 30,
        'length': len(sequence),
        'width': first.shape[1],
        'height': first.shape[0],
        'channel.default': 'color',
        'channels.color': f'color/%08d{suffix}',
    }
    _write(osp.join(folder, 'sequence'), ''.join(
        f'{key}={value}\n' for key, value in properties.items()))


def _write_trackers(path: str, tracker: TrackerEntry) -> None:
    values = dict(
        label=tracker.name,
        protocol='trax',
        command=' '.join(shlex.quote(word) for word in tracker.command),
        timeout=str(tracker.timeout))
    config = configparser.ConfigParser()
    # configparser replaces %(name)s.
    config[tracker.name] = {
        key: value.replace('%', '%%') for key, value in values.items()
    }
    with open(path, 'w', encoding='utf-8') as file:
        config.write(file)


def _stack(interval: Tuple[int, int], repetitions: int,
           unsupervised: bool) -> Dict:
    low, high = interval
    experiments = dict(
        baseline=dict(
            type=_EXPERIMENT,
            repetitions=repetitions,
            skip_initialize=SKIP_FRAMES,
            analyses=[
                dict(type='supervised_average_ar', sensitivity=30),
                dict(type='supervised_eao_score', low=low, high=high),
                dict(type='supervised_eao_curve'),
            ]))
    if unsupervised:
        experiments['unsupervised'] = dict(
            type='unsupervised',
            repetitions=1,
            analyses=[dict(type='average_accuracy')])
    return dict(
        title='Supervised experiment (VOT2013 to VOT2019), local sequences',
        experiments=experiments)


def _write(path: str, text: str) -> None:
    os.makedirs(osp.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
