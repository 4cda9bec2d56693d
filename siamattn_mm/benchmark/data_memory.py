"""Memory that the annotations of a large data set take.

A fake index of a million annotated frames, without any file: what a frame of
it costs, and what the data loader's worker processes cost that read it.
"""
import gc
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Dict, List, Sequence

import numpy as np
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from siamattn_mm.datasets import SOTPairDataset
from siamattn_mm.datasets.sources import Frame, TrackSource
from siamattn_mm.datasets.storage.numbered_paths import NumberedPaths
from siamattn_mm.datasets.storage.track_table import TrackTable

_FRAMES_PER_VIDEO = 500
_SIZE = (320, 240)  # of the fake images
_MB = 2**20


def fake_table(num_frames: int = 1000000) -> TrackTable:
    """The index of a data set like LaSOT, TrackingNet or GOT-10k.

    Args:
        num_frames (int): Annotated frames. Defaults to 1,000,000.

    Returns:
        TrackTable: One track a video of 500 frames.
    """
    lengths = np.full(num_frames // _FRAMES_PER_VIDEO, _FRAMES_PER_VIDEO)
    rest = num_frames - lengths.sum()
    lengths = np.append(lengths, rest) if rest else lengths
    numbers = np.arange(num_frames) % _FRAMES_PER_VIDEO + 1
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 150, (num_frames, 2))
    return TrackTable(
        images=NumberedPaths(
            (f'category-{i % 70}/sequence-{i:06d}/img/%08d.jpg'
             for i in range(len(lengths))), lengths, numbers),
        lengths=lengths,
        image_ids=np.arange(num_frames),
        bboxes=np.concatenate([corners, np.full((num_frames, 2), 60)], axis=1),
        frame_ids=numbers)


class FakeSource(TrackSource):
    """A source whose images are made, not read.

    Args:
        num_frames (int): Annotated frames.
        pairs_per_epoch (int): See :class:`PairSource`.
    """

    def __init__(self, num_frames: int, pairs_per_epoch: int) -> None:
        super().__init__(fake_table(num_frames), 'nowhere',
                         pairs_per_epoch=pairs_per_epoch)

    def read(self, row: int) -> Frame:
        """Frame: A plain image; nothing is read from the disk."""
        table = self.table
        path = table.images[int(table.image_ids[row])]
        img = np.full(_SIZE[::-1] + (3, ), row % 256, np.uint8)
        return Frame(img, table.bboxes[row], None, path)


def index_memory(num_frames: int = 1000000) -> Dict[str, float]:
    """Bytes of a fake index.

    Args:
        num_frames (int): Annotated frames. Defaults to 1,000,000.

    Returns:
        dict: ``frames``, ``mb`` (2**20 bytes) and ``bytes_per_frame``, and of
        the latter those of the ``paths`` and the ``boxes``.
    """
    table = fake_table(num_frames)
    return dict(
        frames=num_frames,
        mb=table.nbytes / _MB,
        bytes_per_frame=table.nbytes / num_frames,
        paths=table.images.nbytes / num_frames,
        boxes=table.bboxes.nbytes / num_frames)


def process_memory(pid: int) -> Dict[str, float]:
    """Memory of a process.

    Args:
        pid (int): Its number.

    Returns:
        dict[str, float]: In MB (2**20 bytes): ``rss``, all that it has
        mapped; ``pss``, where a page that n processes share counts 1/n; and
        ``private``, pages of its own. The last two are nan where the kernel
        has no ``smaps_rollup``.
    """
    values = dict.fromkeys(
        ('Rss', 'Pss', 'Private_Clean', 'Private_Dirty'), float('nan'))
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
            lines = file.readlines()[1:]
    except OSError:
        with open(f'/proc/{pid}/status', encoding='ascii') as file:
            lines = [line.replace('VmRSS', 'Rss') for line in file]
    for line in lines:
        name, _, value = line.partition(':')
        if name in values:
            values[name] = int(value.split()[0]) / 1024
    return dict(
        rss=values['Rss'],
        pss=values['Pss'],
        private=values['Private_Clean'] + values['Private_Dirty'])


def worker_memory(num_frames: int = 1000000,
                  num_workers: int = 2,
                  pairs: int = 1000) -> Dict[str, Any]:
    """Memory of a data loader's processes after they have read pairs.

    Args:
        num_frames (int): Annotated frames. Defaults to 1,000,000.
        num_workers (int): Worker processes. Defaults to 2.
        pairs (int): Pairs to read, in all. Defaults to 1000.

    Returns:
        dict: ``frames``, ``workers``; ``main`` (dict, see
        :func:`process_memory`), ``each`` (list of such dicts, one a worker),
        ``rss`` and ``pss``, sums over all processes in MB, and
        ``pss_per_worker`` and ``private_per_worker``, means (0 without
        workers).
    """
    with DefaultScope.overwrite_default_scope('mmtrack'):
        dataset = SOTPairDataset(
            dict(fake=FakeSource(num_frames, pairs)),
            pipeline=[dict(type='SiamPairCrop'),
                      dict(type='PackSOTPair')])
    others = {child.pid for child in multiprocessing.active_children()}
    loader = DataLoader(
        dataset, batch_size=20, num_workers=num_workers, collate_fn=len,
        persistent_workers=num_workers > 0,
        multiprocessing_context='fork' if num_workers else None)
    gc.collect()
    for _ in loader:
        pass
    main = process_memory(os.getpid())
    # They live as long as the loader does.
    each = [process_memory(child.pid)
            for child in multiprocessing.active_children()
            if child.pid not in others]
    del loader

    def mean(key: str) -> float:
        return float(np.mean([m[key] for m in each])) if each else 0.

    return dict(
        frames=num_frames,
        workers=num_workers,
        main=main,
        each=each,
        rss=main['rss'] + sum(m['rss'] for m in each),
        pss=main['pss'] + sum(m['pss'] for m in each),
        pss_per_worker=mean('pss'),
        private_per_worker=mean('private'))


def measure_data_memory(num_frames: int = 1000000,
                        few_frames: int = 100000,
                        workers: Sequence[int] = (0, 2, 4),
                        pairs: int = 1000) -> Dict[str, Any]:
    """All figures: the index, and the processes for two numbers of frames.

    For POSIX systems: processes are forked, as by mmengine's default. They
    share the libraries' pages with the calling one as well, so that their
    ``pss`` is a little lower than in a training; ``private`` is not.

    Args:
        num_frames (int): Annotated frames. Defaults to 1,000,000.
        few_frames (int): Frames of the index to compare with: so many that
            its arrays lie outside the heap, as those of a large one, for
            their sizes to be comparable. Defaults to 100,000.
        workers (Sequence[int]): Numbers of worker processes. Defaults to
            (0, 2, 4).
        pairs (int): Pairs to read for each figure. Defaults to 1000.

    Returns:
        dict: ``index`` (see :func:`index_memory`); ``few`` and ``many``,
        lists of :func:`worker_memory`, one for each of ``workers``; and
        ``growth_per_worker``, list of the MB of its own by which a worker
        gets larger from few to many frames.
    """
    found: Dict[str, List[Dict[str, Any]]] = {
        name: [_in_new_process(frames, n, pairs) for n in workers]
        for name, frames in (('few', few_frames), ('many', num_frames))
    }
    return dict(
        index=index_memory(num_frames),
        growth_per_worker=[
            many['private_per_worker'] - few['private_per_worker']
            for few, many in zip(found['few'], found['many'])
        ],
        **found)


def _in_new_process(*args: int) -> Dict[str, Any]:
    # What an earlier measurement left in the heap would be counted. Forked,
    # since importing everything again takes longer than all the rest.
    context = multiprocessing.get_context('fork')
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(worker_memory, *args).result()
