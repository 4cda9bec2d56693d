"""From result folders to the page and its pictures."""
import os.path as osp
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np

from siamattn_mm.utils import written_whole

from ..strip import make_strip
from .page import Page, Picture, Strip, curve_alt
from .plots import plot_curves, plot_timeline
from .result_folder import ResultFolder, ResultFolderError
from .scores import CURVES, ScoredTracker, score_tracker
from .sequences import ReportSequence
from .strips import encode_jpeg, make_tiles

PAGE_NAME = 'report.html'


def build_report(folders: Sequence[ResultFolder],
                 sequences: Sequence[ReportSequence],
                 out: str,
                 title: str = 'Tracking results',
                 absent_frames: str = 'skip',
                 ao: str = 'sequences',
                 progress: Optional[Callable[[str], None]] = None
                 ) -> List[ScoredTracker]:
    """Compare result folders on the sequences that all of them have.

    Args:
        folders (Sequence[ResultFolder]): The first one decides which
            sequences are the best, the median and the worst.
        sequences (Sequence[ReportSequence]): Of the data set.
        out (str): Folder for ``report.html``, ``*.png`` and ``*.jpg``; each
            file is written whole or not at all, the page last.
        title (str): Its heading. Defaults to 'Tracking results'.
        absent_frames (str): See ``evaluate_ope``. Defaults to 'skip'.
        ao (str): See ``OPEMetric``. Defaults to 'sequences'.
        progress (Callable, optional): Called with the name of each step.
            Defaults to None.

    Returns:
        list[ScoredTracker]: One a folder.

    Raises:
        ResultFolderError: If the folders have no sequence in common, or a
            file is not as expected.
    """
    step = progress or (lambda name: None)
    common, notes = _in_common(folders, sequences)
    trackers = []
    for folder in folders:
        step(f'reading {folder.name}')
        trackers.append(score_tracker(folder, common, absent_frames, ao))
    curves = []
    for name in CURVES:
        step(f'{name} curves')
        curves.append(
            Picture(f'{name}.png', plot_curves(name, trackers),
                    curve_alt(name, trackers)))
    strips, files = [], []
    for rank, index in _best_median_worst(trackers[0]):
        step(f'frames of {common[index].name}')
        strip, picture = _strip(rank, index, common, trackers)
        strips.append(strip)
        files.append(picture)
    timelines = []
    for index, sequence in enumerate(common):
        step(f'{sequence.name} over time')
        timelines.append(_timeline(index, sequence, trackers))
    page = Page(title, notes, trackers, common, curves, strips, timelines)
    for picture in curves + files + timelines:
        _write(osp.join(out, picture.name), picture.data)
    _write(osp.join(out, PAGE_NAME), page.html().encode('utf-8'))
    return trackers


def _in_common(folders: Sequence[ResultFolder],
               sequences: Sequence[ReportSequence]
               ) -> Tuple[List[ReportSequence], List[str]]:
    """Sequences that all folders have, and what there is to say of others."""
    common = [s for s in sequences if all(f.has(s.name) for f in folders)]
    if not common:
        found = '; '.join(
            f'{folder.path!r} has {sum(folder.has(s.name) for s in sequences)}'
            for folder in folders)
        raise ResultFolderError(
            'no sequence has results in every folder: of the data set\'s '
            f'{len(sequences)} sequences, {found}')
    frames = sum(len(sequence.data) for sequence in common)
    notes = [f'{len(common)} sequences, {frames} frames.']
    missing = [s.name for s in sequences if s not in common]
    if missing:
        names = ', '.join(missing[:8]) + (', ...' if len(missing) > 8 else '')
        notes.append(f'Left out, since not all trackers have them: {names} '
                     f'({len(missing)} of {len(sequences)}).')
    return common, notes


def _best_median_worst(tracker: ScoredTracker) -> List[Tuple[str, int]]:
    success = np.array([s.figures['success'] for s in tracker.sequences])
    # Without any visible frame there is nothing to rank.
    order = [i for i in np.argsort(-success) if not np.isnan(success[i])]
    ranks = {}
    for name, place in (('Best', 0), ('Worst', -1), ('Median',
                                                     len(order) // 2)):
        if order:
            ranks.setdefault(order[place], name)
    wanted = ('Best', 'Median', 'Worst')
    return sorted(((name, int(index)) for index, name in ranks.items()),
                  key=lambda rank: wanted.index(rank[0]))


def _strip(rank: str, index: int, sequences: Sequence[ReportSequence],
           trackers: Sequence[ScoredTracker]) -> Tuple[Strip, Picture]:
    """For the page, and as one picture for a file."""
    sequence = sequences[index]
    scored = [tracker.sequences[index] for tracker in trackers]
    values = ', '.join(f'{tracker.name} {s.figures["success"]:.3f}'
                       for tracker, s in zip(trackers, scored))
    tiles = make_tiles(sequence, scored)
    frames = [
        Picture('frame.jpg', encode_jpeg(tile.image),
                f'{sequence.name}, {tile.caption}', tile.caption)
        for tile in tiles
    ]
    title = f'{rank}: {sequence.name}, success {values}'
    data = encode_jpeg(make_strip(tiles, columns=3))
    return (Strip(title, frames),
            Picture(f'strip_{rank.lower()}.jpg', data, title))


def _timeline(index: int, sequence: ReportSequence,
              trackers: Sequence[ScoredTracker]) -> Picture:
    scored = [tracker.sequences[index] for tracker in trackers]
    means = ', '.join(f'{tracker.name} {s.figures["AO"]:.2f}'
                      for tracker, s in zip(trackers, scored))
    return Picture(
        f'timeline_{sequence.name}.png',
        plot_timeline(sequence.name, scored),
        f'Overlap and score over the frames of {sequence.name}; mean overlap '
        f'{means}')


def _write(path: str, data: bytes) -> None:
    with written_whole(path) as temporary:
        with open(temporary, 'wb') as file:
            file.write(data)
