"""What tells how long something took, on a CPU and on a GPU."""
import time
from typing import Any, Callable, Union

import torch


class Clock:
    """Marks moments, and says how far two are apart.

    Args:
        read (Callable): Gives the number that grows while something runs.
            Defaults to the host's clock, in seconds.
    """

    def __init__(self,
                 read: Callable[[], float] = time.perf_counter) -> None:
        self._read = read

    def mark(self) -> Any:
        """Any: This moment, for :meth:`between`."""
        return self._read()

    def between(self, begin: Any, end: Any) -> float:
        """How far two moments are apart.

        Args:
            begin (Any): From :meth:`mark`.
            end (Any): From :meth:`mark`, later.

        Returns:
            float: In the unit of the readings. On a GPU both must be over:
            see :meth:`wait`.
        """
        return end - begin

    def wait(self) -> None:
        """Return when all that was begun is done."""

    def timed(self, function: Callable, *args: Any) -> float:
        """Call a function, and wait for what it has begun.

        Args:
            function (Callable): What to call.
            *args: Its arguments.

        Returns:
            float: How long it took.
        """
        self.wait()
        begin = self.mark()
        function(*args)
        end = self.mark()
        self.wait()
        return self.between(begin, end)


class CudaClock(Clock):
    """Marks moments in the GPU's work, by events.

    The host runs ahead of the GPU: by its clock, a stage would end when its
    work is begun. Waiting for the work of each stage would make what the host
    could do meanwhile a part of the next stage's time.

    Args:
        device (torch.device | str): The GPU.
        cuda (Any): Has ``Event``, ``current_stream`` and ``synchronize``.
            Defaults to ``torch.cuda``.
    """

    def __init__(self,
                 device: Union[torch.device, str] = 'cuda',
                 cuda: Any = torch.cuda) -> None:
        super().__init__()
        self._device, self._cuda = torch.device(device), cuda

    def mark(self) -> Any:
        """torch.cuda.Event: Where the GPU's work has come to."""
        event = self._cuda.Event(enable_timing=True)
        event.record(self._cuda.current_stream(self._device))
        return event

    def between(self, begin: Any, end: Any) -> float:
        """float: Seconds of the GPU."""
        return begin.elapsed_time(end) / 1e3

    def wait(self) -> None:
        """Return when the GPU is idle."""
        self._cuda.synchronize(self._device)


def clock_for(device: Union[torch.device, str]) -> Clock:
    """The clock of a device.

    Args:
        device (torch.device | str): CPU or GPU.

    Returns:
        Clock: By the GPU's events if it is one, else by the host's clock.
    """
    device = torch.device(device)
    return CudaClock(device) if device.type == 'cuda' else Clock()
