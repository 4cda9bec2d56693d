"""Batches that leave a worker in three pieces of shared memory."""
import io
import pickle
from typing import Any, List, Sequence, Tuple

import numpy as np
import torch
from mmengine.dataset import default_collate
from mmengine.registry import FUNCTIONS
from mmengine.structures import BaseDataElement
from torch import Tensor

# Where a buffer begins, so that numbers of any type are aligned.
ALIGNMENT = 64


# mmengine looks for collate functions in its own registry alone.
@FUNCTIONS.register_module()
def packed_collate(data_batch: Sequence[dict]) -> dict:
    """Stack the images; let the data samples travel as one tensor of bytes.

    PyTorch moves each tensor from a worker to the trainer in shared memory of
    its own, which costs both an open file until the batch is used. Data
    samples have four tensors a pair: 14 workers with 28 pairs a batch come to
    more than the 1,024 files that many systems allow a process ("received 0
    items of ancdata"). With this function it is one for all samples, their
    masks included, and one for each kind of image.

    Args:
        data_batch (Sequence[dict]): What a data set gives, such as ``inputs``
            (tensors of equal shape) and ``data_samples``.

    Returns:
        dict: As of mmengine's ``default_collate``: stacked tensors, lists of
        data samples.
    """
    return {
        key: PackedSamples(value) if _are_samples(value) else value
        for key, value in default_collate(data_batch).items()
    }


def _are_samples(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, BaseDataElement) for one in value)


class PackedSamples(list):
    """Data samples; another process gets a plain list of them."""

    def __reduce__(self) -> tuple:
        return unpack, pack(list(self))


class _Pickler(pickle.Pickler):
    """Writes tensors of the CPU as arrays, whose numbers stay outside."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is Tensor and not obj.requires_grad:
            try:
                return torch.from_numpy, (obj.numpy(), )
            except (TypeError, RuntimeError):
                pass  # on a device, or of a type that NumPy does not have
        return NotImplemented


def pack(samples: Any) -> Tuple[bytes, Tuple[int, ...], Tensor]:
    """Put all numbers of some objects into one tensor.

    Args:
        samples (Any): Whatever can be pickled.

    Returns:
        tuple[bytes, tuple[int], Tensor]: The objects without their numbers,
        how many bytes each array has, and the bytes.
    """
    buffers: List[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(samples)
    views = [buffer.raw() for buffer in buffers]
    sizes = tuple(view.nbytes for view in views)
    content = np.empty(sum(_padded(size) for size in sizes), np.uint8)
    for start, view in zip(_starts(sizes), views):
        content[start:start + view.nbytes] = view
    return stream.getvalue(), sizes, torch.from_numpy(content)


def unpack(stream: bytes, sizes: Tuple[int, ...], content: Tensor) -> Any:
    """Make the objects of :func:`pack`.

    Args:
        stream (bytes): The first thing that it returned.
        sizes (tuple[int]): The second.
        content (Tensor): The third. It is not copied: arrays and tensors are
            parts of it.

    Returns:
        Any: The objects.
    """
    view = memoryview(content.numpy())
    return pickle.loads(
        stream,
        buffers=[
            view[start:start + size]
            for start, size in zip(_starts(sizes), sizes)
        ])


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _starts(sizes: Sequence[int]) -> List[int]:
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + _padded(size))
    return starts[:-1]
