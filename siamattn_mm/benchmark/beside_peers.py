"""Time of a frame, ours and other trackers', in turn in one process."""
from typing import Any, Callable, Dict, List, Sequence

import cv2
import numpy as np

from siamattn_mm.teachers import NanoTrackNetwork

from .errors import BenchmarkError
from .frame import median_frame
from .peer_worker import make_tracker
from .spread import spread


class OpenCVNano:
    """NanoTrack v2 by OpenCV, with ``init`` and ``update``.

    Args:
        backbone (str): ONNX file.
        neckhead (str): ONNX file.

    Raises:
        BenchmarkError: If this OpenCV has no such tracker, or cannot read
            the files.
    """

    def __init__(self, backbone: str, neckhead: str) -> None:
        try:
            self._tracker = make_tracker(
                'nano', dict(backbone=backbone, neckhead=neckhead))
        except (RuntimeError, cv2.error) as error:
            raise BenchmarkError(
                f'NanoTrack v2 of {backbone!r} and {neckhead!r}: '
                f'{str(error).strip()}') from error

    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take a target from a frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.
            bbox (Sequence[float]): x, y, w, h; OpenCV takes whole pixels.
        """
        self._tracker.init(frame, tuple(int(round(v)) for v in bbox))

    def update(self, frame: np.ndarray) -> Any:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.

        Returns:
            Any: OpenCV's answer.

        Raises:
            BenchmarkError: If the files are not those of version 2.
        """
        try:
            return self._tracker.update(frame)
        except cv2.error as error:
            raise BenchmarkError(
                'OpenCV\'s TrackerNano takes the files of NanoTrack v2; '
                f'with these it ends in: {str(error).strip()}') from error


def nanotrack(backbone: str,
              head: str,
              threads: int,
              runtime: str = 'onnxruntime') -> Any:
    """NanoTrack v3, with ``init`` and ``update``.

    Args:
        backbone (str): ONNX file.
        head (str): ONNX file.
        threads (int): Of onnxruntime.
        runtime (str): See :class:`~siamattn_mm.teachers.NanoTrackNetwork`.
            Defaults to 'onnxruntime'.

    Returns:
        NanoTrack: See there.

    Raises:
        FileNotFoundError: If a file is not there.
    """
    from .nanotrack import NanoTrack
    return NanoTrack(NanoTrackNetwork(backbone, head, threads, runtime))


def measure_beside(trackers: Dict[str, Any],
                   peers: Dict[str, Any],
                   frames: List[np.ndarray],
                   bbox: Sequence[float],
                   num_runs: int,
                   advance: Callable[[], None] = lambda: None
                   ) -> List[Dict[str, Any]]:
    """Time whole frames of all, in turn.

    Args:
        trackers (dict[str, Tracker]): Ours, by name.
        peers (dict[str, Any]): Others, with ``init`` and ``update``.
        frames (list[np.ndarray]): (H, W, 3) uint8, ``MIN_FRAMES`` or more.
        bbox (Sequence[float]): The target in the first one, x, y, w, h.
        num_runs (int): Of each.
        advance (Callable): Called after each run.

    Returns:
        list[dict]: Of each peer its ``name``, ``frame_ms``, and ``share``:
        by the names of ours, which share of its speed they have, run by run;
        spreads as dicts.
    """
    times: Dict[str, List[float]] = {name: [] for name in (*trackers, *peers)}
    for index in range(num_runs):
        contenders = [*trackers.items(), *peers.items()]
        # None is always the one that follows the same other.
        for name, tracker in (contenders
                              if index % 2 == 0 else reversed(contenders)):
            tracker.init(frames[0], bbox)
            times[name].append(1e3 * median_frame(tracker, frames[1:]))
            advance()
    return [
        dict(
            name=name,
            frame_ms=spread(times[name])._asdict(),
            share={
                ours: spread([
                    peer / own
                    for peer, own in zip(times[name], times[ours])
                ])._asdict()
                for ours in trackers
            }) for name in peers
    ]
