"""Training pairs a second: this project's pipeline and mmtrack's."""
import random
import time
from multiprocessing.reduction import ForkingPickler
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Union,
)

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmtrack.datasets import BaseSOTDataset
from mmtrack.registry import DATASETS
from torch.utils.data import DataLoader, Dataset

from siamattn_mm.datasets import (
    find_sequences,
    packed_collate,
    read_sequence,
)

from .errors import BenchmarkError
from .spread import spread

FRAME_RANGE = 100
POS_PROB = 0.8
SHIFT, SCALE = (4, 64), (0.05, 0.18)
BLUR_PROB = (0., 0.2)

# As it is in mmtrack's SiamRPN++ config.
MMTRACK_PIPELINE = [
    dict(
        type='PairSampling',
        frame_range=FRAME_RANGE,
        pos_prob=POS_PROB,
        filter_template_img=False),
    dict(
        type='TransformBroadcaster',
        share_random_params=False,
        transforms=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadTrackAnnotations', with_instance_id=False),
            dict(
                type='CropLikeSiamFC',
                context_amount=0.5,
                exemplar_size=127,
                crop_size=511)
        ]),
    dict(
        type='SeqShiftScaleAug',
        target_size=[127, 255],
        shift=list(SHIFT),
        scale=list(SCALE)),
    dict(type='SeqColorAug', prob=[1.0, 1.0]),
    dict(type='SeqBlurAug', prob=list(BLUR_PROB)),
    dict(type='PackTrackInputs', ref_prefix='search', num_template_frames=1)
]

# The same changes of the images by this project's transforms, masks included.
OUR_PIPELINE = [
    dict(type='SiamPairCrop', shift=SHIFT, scale=SCALE),
    dict(type='PairColorJitter'),
    dict(type='PairBlur', prob=BLUR_PROB, sizes=(5, 45)),
    dict(type='PackSOTPair')
]


@DATASETS.register_module()
class MMTrackFolderDataset(BaseSOTDataset):
    """Sequences in folders for mmtrack's training pipeline.

    The least that mmtrack asks of a data set: everything else is its own. The
    ground truth is in memory, where mmtrack's data sets parse a text file for
    each sample, so that the pipelines alone are compared.

    Args:
        sequences (list[TrackingSequence]): With the target in every frame.
        **kwargs: See mmtrack's ``BaseSOTDataset``.
    """

    def __init__(self, sequences: list, **kwargs) -> None:
        self._sequences = sequences
        super().__init__(**kwargs)

    def load_data_list(self) -> List[dict]:
        """One entry a sequence."""
        return [
            dict(start_frame_id=0, end_frame_id=len(sequence) - 1)
            for sequence in self._sequences
        ]

    def get_bboxes_from_video(self, video_idx: int) -> np.ndarray:
        """(N, 4) x, y, w, h."""
        return self._sequences[video_idx].boxes.copy()

    def get_img_infos_from_video(self, video_idx: int) -> dict:
        """See mmtrack's ``BaseSOTDataset``."""
        sequence = self._sequences[video_idx]
        return dict(
            video_id=video_idx,
            frame_ids=np.arange(len(sequence)),
            img_paths=sequence.frame_paths,
            video_length=len(sequence))


def build_datasets(data_root: str,
                   sequences: Union[None, str, Sequence[str]] = None
                   ) -> Dict[str, Dataset]:
    """Both data sets, over the same frames.

    Sequences in which the target is absent somewhere are left out, since
    mmtrack's pipeline would crop around a box of no size.

    Args:
        data_root (str): Folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns.
            Defaults to None: all.

    Returns:
        dict[str, Dataset]: ``ours`` and ``mmtrack``.

    Raises:
        BenchmarkError: If fewer than two sequences are left.
        SequenceFolderError: If a sequence is not as expected.
    """
    found = [read_sequence(p) for p in find_sequences(data_root, sequences)]
    found = [sequence for sequence in found if sequence.visible.all()]
    if len(found) < 2:
        raise BenchmarkError(f'{data_root!r}: two sequences or more with the '
                             'target in every frame are needed, but there '
                             f'{"is" if found else "are"} {len(found)}')
    ours = DATASETS.build(
        dict(
            type='SOTPairDataset',
            sources=dict(
                video=dict(
                    type='SequenceFolderSource',
                    data_root=data_root,
                    sequences=[sequence.name for sequence in found],
                    frame_range=FRAME_RANGE,
                    min_size=0)),
            neg_prob=1 - POS_PROB,
            # No image is kept: a real data set does not fit.
            cache_mb=0,
            pipeline=OUR_PIPELINE))
    theirs = DATASETS.build(
        dict(
            type='MMTrackFolderDataset',
            sequences=found,
            pipeline=MMTRACK_PIPELINE,
            test_mode=False))
    return dict(ours=ours, mmtrack=theirs)


class _Places:
    """Sampler of the next ``count`` numbers, at every pass.

    Both data sets count on beyond their length: mmtrack's pays no attention
    to the number, and for ours the next epoch begins.
    """

    def __init__(self, count: int) -> None:
        self.count, self._next = count, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        start, self._next = self._next, self._next + self.count
        return iter(range(start, self._next))


def _seed(worker: int = 0) -> None:
    """mmtrack draws from the global generators."""
    random.seed(worker)
    np.random.seed(worker)
    # As mmengine does: each worker is one thread.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


# As the configs have it.
COLLATE = dict(ours=packed_collate, mmtrack=pseudo_collate)


class PairStream:
    """Batches of one data set, in this process or from workers.

    Args:
        dataset (Dataset): Makes the pairs.
        workers (int): Worker processes; 0 makes the pairs in this one.
        batch_size (int): Pairs that a worker sends at once.
        num_batches (int): Batches that are timed in a run.
        collate (Callable): Makes a batch of pairs. Defaults to mmengine's
            ``pseudo_collate``.
    """

    def __init__(self,
                 dataset: Dataset,
                 workers: int,
                 batch_size: int,
                 num_batches: int,
                 collate: Callable = pseudo_collate) -> None:
        # The clock starts when each worker has sent a batch.
        self._timed = batch_size * num_batches
        batches = num_batches + max(1, workers)
        self._skip = batches - num_batches
        self._loader = DataLoader(
            dataset,
            batch_size=batch_size,
            sampler=_Places(batch_size * batches),
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=collate,
            worker_init_fn=_seed)

    def pairs_per_second(self) -> float:
        """Take batches, as a trainer does, and say how fast pairs come."""
        batches = iter(self._loader)
        for _ in range(self._skip):
            next(batches)
        began = time.perf_counter()
        for _ in batches:
            pass
        return self._timed / (time.perf_counter() - began)


def measure_pipelines(datasets: Dict[str, Dataset],
                      workers: int = 1,
                      num_runs: int = 7,
                      batch_size: int = 8,
                      num_batches: int = 10,
                      advance: Optional[Callable[[], None]] = None
                      ) -> Dict[str, Any]:
    """Both pipelines in turn.

    Args:
        datasets (dict[str, Dataset]): From :func:`build_datasets`, or
            ``ours`` of them alone.
        workers (int): Worker processes of each, 0 for none. Defaults to 1.
        num_runs (int): Runs of each. Defaults to 7.
        batch_size (int): Defaults to 8.
        num_batches (int): Batches timed in a run, or two of each worker, if
            that is more. Defaults to 10.
        advance (Callable, optional): Called after each run.

    Returns:
        dict: ``workers``, ``pairs`` (of each in a run), ``mask_share`` (of
        the annotated frames), ``limits`` (see :func:`measure_limits`), the
        pairs a second that reach the trainer of each data set by its name,
        and with both, their ``ratio``, the last three
        :class:`~.spread.Spread` as dicts.
    """
    if workers == 0:
        _seed()
    # Long enough that what is under way at either end does not matter.
    num_batches = max(num_batches, 2 * workers)
    streams = {
        name: PairStream(dataset, workers, batch_size, num_batches,
                         COLLATE[name])
        for name, dataset in datasets.items()
    }
    rates: Dict[str, List[float]] = {name: [] for name in streams}
    for index in range(num_runs + 1):
        names = list(streams) if index % 2 else list(streams)[::-1]
        for name in names:
            rate = streams[name].pairs_per_second()
            # The first run reads the files from the disk, for both.
            if index > 0:
                rates[name].append(rate)
            if advance is not None:
                advance()
    found = {name: spread(values)._asdict() for name, values in rates.items()}
    if 'mmtrack' in rates:
        found['ratio'] = spread([
            a / b for a, b in zip(rates['ours'], rates['mmtrack'])
        ])._asdict()
    table = datasets['ours'].sources['video'].table
    return dict(
        workers=workers,
        pairs=batch_size * num_batches,
        mask_share=float((table.mask_ids >= 0).mean()),
        limits=measure_limits(datasets['ours'], batch_size),
        **found)


def measure_limits(dataset: Dataset,
                   batch_size: int = 8,
                   num_batches: int = 3,
                   collate: Callable = packed_collate) -> Dict[str, float]:
    """What a pair takes on its way, in milliseconds of a quiet core.

    Args:
        dataset (Dataset): Makes the pairs.
        batch_size (int): Pairs that are sent together. Defaults to 8.
        num_batches (int): The median of so many. Defaults to 3.
        collate (Callable): Makes a batch. Defaults to that of the configs.

    Returns:
        dict[str, float]: Of a pair: ``make``, ``collate`` and ``send``, which
        a worker does, and ``receive``, which the trainer does.
    """
    times: Dict[str, List[float]] = {
        name: [] for name in ('make', 'collate', 'send', 'receive')
    }

    def timed(name: str, function: Callable, *args: Any) -> Any:
        began = time.perf_counter()
        result = function(*args)
        times[name].append(time.perf_counter() - began)
        return result

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker
    try:
        for index in range(num_batches + 1):
            start = index * batch_size
            pairs = timed('make', lambda start=start: [
                dataset[i] for i in range(start, start + batch_size)
            ])
            # What queues between processes do with it.
            batch = timed('collate', collate, pairs)
            content = timed('send', ForkingPickler.dumps, batch)
            timed('receive', ForkingPickler.loads, content)
    finally:
        torch.set_num_threads(threads)
    # The first batch reads files from the disk.
    return {
        name: 1e3 * float(np.median(values[1:])) / batch_size
        for name, values in times.items()
    }


def add_shares(reports: List[Dict[str, Any]], cores: int) -> None:
    """Say how well several workers do, and what holds them up.

    Args:
        reports (list[dict]): Of :func:`measure_pipelines`; each gets
            ``share``: of what one worker's figure makes of as many workers,
            or cores if there are fewer (None where one worker has not been
            measured), and ``limit``: ``'workers'``, ``'cores'`` or
            ``'trainer'``.
        cores (int): Of the machine.
    """
    one = [found['ours']['median'] for found in reports
           if found['workers'] == 1]
    for found in reports:
        busy = min(found['workers'], cores)
        found['share'] = found['ours']['median'] / (
            busy * one[0]) if one and busy else None
        limits = found['limits']
        worker = limits['make'] + limits['collate'] + limits['send']
        if limits['receive'] * max(busy, 1) > worker:
            found['limit'] = 'trainer'
        else:
            found['limit'] = (
                'cores' if found['workers'] > cores else 'workers')
