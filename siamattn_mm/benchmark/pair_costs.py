"""What a training pair costs on its way to the trainer."""
import time
from multiprocessing.reduction import ForkingPickler
from typing import Any, Callable, Dict, List

import numpy as np
import torch
from torch.utils.data import Dataset

from siamattn_mm.datasets import packed_collate


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
