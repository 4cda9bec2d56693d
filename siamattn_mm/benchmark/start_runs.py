"""Runs from many starts of sequences, in one process or several."""
import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

from mmengine.config import Config

from siamattn_mm import apis
from siamattn_mm.datasets.reading.image_reader import ImageReader
from siamattn_mm.datasets.reading.sequence_folder import read_sequence
from siamattn_mm.datasets.reading.tracking_sequence import TrackingSequence
from siamattn_mm.evaluation import start_scores
from siamattn_mm.evaluation.starts import KINDS, starts_of
from siamattn_mm.utils.command_line import say_device

from . import beside_peers
from .peers import PeerProcess, track_boxes

# Tracks a sequence from its first frame, and scores it.
TrackRun = Callable[[TrackingSequence], Dict[str, float]]
# Of this process.
_SHARED: Dict[str, TrackRun] = {}


def our_tracker(config: Config,
                checkpoint: Optional[str],
                device: Optional[str],
                runtime: str,
                threads: Optional[int] = None) -> TrackRun:
    """Make a tracker of ours.

    Args:
        config (Config): Of the model.
        checkpoint (str, optional): Its weights; None takes those that ship.
        device (str, optional): None chooses.
        runtime (str): Of an exported model.
        threads (int, optional): Of PyTorch. Defaults to None: as they are,
            and the device is said.

    Returns:
        TrackRun: Boxes, masks and "lost" are scored.

    Raises:
        ValueError: As :func:`siamattn_mm.apis.init_tracker`.
    """
    if threads:
        import torch
        torch.set_num_threads(threads)
    tracker = apis.init_tracker(
        config, checkpoint, device, runtime, choose_threads=False)
    if not threads:
        say_device(tracker.model)
    return functools.partial(
        start_scores.track_run, tracker, reader=ImageReader())


def nanotrack(files: Sequence[str]) -> TrackRun:
    """Make NanoTrack v3.

    Args:
        files (Sequence[str]): Its backbone and its head.

    Returns:
        TrackRun: Boxes are scored.

    Raises:
        FileNotFoundError: If one is not there.
    """
    return functools.partial(
        start_scores.track_run,
        beside_peers.nanotrack(*files, threads=1),
        reader=ImageReader())


def opencv_peer(name: str, site: str, models: Dict[str, str]) -> TrackRun:
    """Make one of OpenCV's trackers.

    Args:
        name (str): See :class:`~.peers.PeerProcess`.
        site (str): See there.
        models (dict[str, str]): See there.

    Returns:
        TrackRun: Boxes are scored. They were given in whole pixels, as
        OpenCV takes them.

    Raises:
        BenchmarkError: As there.
    """
    peer = PeerProcess(name, site, models)
    return lambda run: start_scores.score_run(
        track_boxes(peer, run), run.boxes)


def runs_of(folder: str,
            kinds: Sequence[str] = KINDS) -> List[Dict[str, Any]]:
    """Track one sequence from its starts, with this process's tracker.

    Args:
        folder (str): The sequence's.
        kinds (Sequence[str]): Of the starts. Defaults to all.

    Returns:
        list[dict]: ``sequence``, ``start``, ``frames`` and the figures of
        each.
    """
    sequence = read_sequence(folder)
    return [
        dict(
            sequence=sequence.name,
            start=start,
            frames=len(run),
            **_SHARED['track'](run)) for start, run in starts_of(sequence)
        if start in kinds
    ]


def _begin(make: Callable[..., TrackRun], *args: Any) -> None:
    _SHARED['track'] = make(*args)


def track_all(folders: Sequence[str],
              kinds: Sequence[str],
              make: Callable[..., TrackRun],
              args: Sequence[Any],
              workers: int = 1) -> Iterator[List[Dict[str, Any]]]:
    """Track all sequences.

    Args:
        folders (Sequence[str]): Of the sequences.
        kinds (Sequence[str]): Of the starts.
        make (Callable): Makes the tracker of a process: a function of this
            module.
        args (Sequence): Its arguments, which travel to other processes.
        workers (int): Processes. Defaults to 1: this one.

    Yields:
        list[dict]: The runs of each, see :func:`runs_of`.
    """
    track = functools.partial(runs_of, kinds=tuple(kinds))
    if workers == 1:
        try:
            _begin(make, *args)
            yield from map(track, folders)
        finally:
            # A peer's process ends with it.
            _SHARED.clear()
        return
    # Threads do not survive a fork.
    with ProcessPoolExecutor(
            workers, multiprocessing.get_context('spawn'), _begin,
            (make, *args)) as pool:
        yield from pool.map(track, folders)
