"""Training pairs a second: this project's pipeline and mmtrack's."""
from typing import Any, Callable, Dict, List, Optional

from mmengine.dataset import pseudo_collate
from torch.utils.data import Dataset

from siamattn_mm.datasets import packed_collate

from .pair_costs import measure_limits
from .pair_stream import PairStream, seed_worker
from .spread import spread

# As the configs have it.
COLLATE = dict(ours=packed_collate, mmtrack=pseudo_collate)


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
        seed_worker()
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
