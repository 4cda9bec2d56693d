"""A function whose work on a GPU is recorded once, and then replayed."""
from typing import Any, Callable, Sequence, Tuple

import torch
from torch import Tensor

from ..ops.constants import upload

# What runs a function once and gives what replays it, and its result.
Record = Callable[[Callable[[], Any]], Tuple[Callable[[], None], Any]]
# Runs before recording: plans are made and algorithms chosen in them.
WARM_UP = 3


def record_on_cuda(run: Callable[[], Any]) -> Tuple[Callable[[], None], Any]:
    """Record what a function launches.

    Args:
        run (Callable): Of no arguments; may not wait for the GPU.

    Returns:
        tuple[Callable, Any]: What launches the same again, and the result,
        whose memory that fills.

    Raises:
        RuntimeError: If it cannot be recorded.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run()
    return graph.replay, out


class GraphedCall:
    """A function of tensors, recorded for their shapes and types.

    Launching hundreds of small kernels takes the host longer than the GPU
    takes for them; a recorded graph is one launch.

    Args:
        function (Callable): Of tensors; all else that it reads has to stay
            where it is. What it gives may be nested.
        inputs (Sequence[Tensor]): Examples, on the device.
        record (Callable): Defaults to :func:`record_on_cuda`.

    Raises:
        RuntimeError: If it cannot be recorded.
    """

    def __init__(self,
                 function: Callable[..., Any],
                 inputs: Sequence[Tensor],
                 record: Record = record_on_cuda) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        self._replay, self._out = record(lambda: function(*self._inputs))

    def __call__(self, *inputs: Tensor) -> Any:
        """Run it.

        Args:
            *inputs (Tensor): Of the examples' shapes, on any device.

        Returns:
            Any: What the function gives; the next call overwrites it.
        """
        for own, given in zip(self._inputs, inputs):
            own.copy_(upload(given, own.device), non_blocking=True)
        self._replay()
        return self._out


def signature(tensors: Sequence[Tensor]) -> Tuple[tuple, ...]:
    """What a call is recorded for.

    Args:
        tensors (Sequence[Tensor]): Its inputs.

    Returns:
        tuple[tuple]: Shape and type of each.
    """
    return tuple((tuple(t.shape), t.dtype) for t in tensors)
