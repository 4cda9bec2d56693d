"""Batches of training pairs, in this process or from workers."""
import random
import time
from typing import Callable, Iterator

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader, Dataset


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


def seed_worker(worker: int = 0) -> None:
    """Make this process a worker; mmtrack draws from global generators.

    Args:
        worker (int): Its number. Defaults to 0.
    """
    random.seed(worker)
    np.random.seed(worker)
    # As mmengine does: each worker is one thread.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


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
            worker_init_fn=seed_worker)

    def pairs_per_second(self) -> float:
        """Take batches, as a trainer does, and say how fast pairs come."""
        batches = iter(self._loader)
        for _ in range(self._skip):
            next(batches)
        began = time.perf_counter()
        for _ in batches:
            pass
        return self._timed / (time.perf_counter() - began)
