"""OpenCV's trackers on a folder of sequences, with our metrics."""
import json
import os
import os.path as osp
import subprocess
import sys
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

import numpy as np

from siamattn_mm.datasets import TrackingSequence
from siamattn_mm.evaluation.result_files import write_rows
from siamattn_mm.evaluation.sequence_record import SequenceRecord
from siamattn_mm.evaluation.sequence_scores import (
    average_scores,
    format_table,
    score_sequence,
)

from . import peer_worker
from .errors import BenchmarkError


class PeerScores(NamedTuple):
    """What a peer got on all sequences.

    Attributes:
        mean (dict[str, float]): Figures of the data set.
        sequences (dict[str, dict[str, float]]): Figures of each sequence.
        table (str): Both, to be printed.
    """
    mean: Dict[str, float]
    sequences: Dict[str, Dict[str, float]]
    table: str


def nano_models(args: Any) -> Dict[str, str]:
    """Model files of NanoTrack v2 that a command line gives.

    Args:
        args (argparse.Namespace): With ``nano_backbone`` and the others.

    Returns:
        dict[str, str]: Paths of those that are given.
    """
    found = {
        key: getattr(args, f'nano_{key}')
        for key in peer_worker.TRACKERS['nano'][1]
    }
    return {key: path for key, path in found.items() if path is not None}


class PeerProcess:
    """One of OpenCV's trackers, in a process with its own OpenCV.

    Args:
        tracker (str): A key of :data:`.peer_worker.TRACKERS`.
        site (str): Folder with that OpenCV, or '' for the environment's.
        models (dict[str, str]): Model files that the tracker needs.
        threads (int): Threads of OpenCV. Defaults to 1.

    Raises:
        BenchmarkError: If there is no such tracker, or a model file of it was
            not given or is absent.
    """

    def __init__(self,
                 tracker: str,
                 site: str,
                 models: Optional[Dict[str, str]] = None,
                 threads: int = 1) -> None:
        if tracker not in peer_worker.TRACKERS:
            raise BenchmarkError(f'no tracker {tracker!r}; there are '
                                 f'{", ".join(peer_worker.TRACKERS)}')
        self.tracker, self.threads = tracker, threads
        self.models = dict(models or {})
        for key in peer_worker.TRACKERS[tracker][1]:
            path = self.models.get(key)
            if path is None or not osp.isfile(path):
                raise BenchmarkError(
                    f'{tracker} needs the model file --{tracker}-{key}, but '
                    f'got {path!r}')
        environ = dict(os.environ)
        if site:
            environ['PYTHONPATH'] = os.pathsep.join(
                [site] + environ.get('PYTHONPATH', '').split(os.pathsep))
        self._process = subprocess.Popen(
            [sys.executable, peer_worker.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            encoding='utf-8')

    def track(self, sequence: TrackingSequence) -> Iterator[dict]:
        """Track through a sequence.

        Args:
            sequence (TrackingSequence): Its first box is given.

        Yields:
            dict: For each frame, see :mod:`.peer_worker`.

        Raises:
            BenchmarkError: If the tracker fails.
        """
        job = dict(
            tracker=self.tracker,
            models=self.models,
            threads=self.threads,
            frames=sequence.frame_paths,
            bbox=sequence.boxes[0].tolist())
        self._process.stdin.write(json.dumps(job) + '\n')
        self._process.stdin.flush()
        for _ in range(len(sequence)):
            line = self._process.stdout.readline()
            answer = json.loads(line) if line else dict(
                error='its process ended without a word')
            if 'error' in answer:
                raise BenchmarkError(f'{self.tracker}, sequence '
                                     f'{sequence.name}: {answer["error"]}')
            yield answer

    def __enter__(self) -> 'PeerProcess':
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        if exception[0] is not None:
            self._process.kill()
        self._process.wait()


def track_boxes(peer: PeerProcess, sequence: TrackingSequence) -> np.ndarray:
    """Track through a sequence, for its boxes alone.

    Args:
        peer (PeerProcess): The tracker.
        sequence (TrackingSequence): N frames; the first box is given.

    Returns:
        np.ndarray: (N, 4), x, y, w, h.

    Raises:
        BenchmarkError: If the tracker fails.
    """
    return np.array([answer['bbox'] for answer in peer.track(sequence)])


def run_peer(peer: PeerProcess,
             sequences: List[TrackingSequence],
             results_dir: str,
             advance: Callable[[], None] = lambda: None) -> PeerScores:
    """Track all sequences once, and score them as our own trackers are.

    Files are written as :class:`~siamattn_mm.evaluation.OPEMetric` does.

    Args:
        peer (PeerProcess): The tracker.
        sequences (list[TrackingSequence]): The target is visible in their
            first frames.
        results_dir (str): Where the files go.
        advance (Callable): Called after each frame.

    Returns:
        PeerScores: Figures of the data set and of each sequence.

    Raises:
        BenchmarkError: If the tracker fails, or a target is absent in the
            first frame.
    """
    records = []
    for index, sequence in enumerate(sequences):
        if not sequence.visible[0]:
            raise BenchmarkError(f'sequence {sequence.folder!r}: the target '
                                 'is absent in the first frame')
        record = SequenceRecord(sequence.name, index, len(sequence))
        for answer, truth in zip(peer.track(sequence), sequence.boxes):
            record.add(
                np.array(answer['bbox']),
                truth,
                answer['score'],
                track_time=answer['seconds'],
                wall_time=answer['wall_seconds'])
            advance()
        base = osp.join(results_dir, sequence.name)
        write_rows(f'{base}_score.txt', record.scores, decimals=6)
        write_rows(f'{base}_time.txt', record.track_times, decimals=6)
        write_rows(f'{base}.txt', record.pred, decimals=4)
        records.append(record)
    scores = [score_sequence(record) for record in records]
    mean = average_scores(records, scores)
    return PeerScores(
        mean, {record.name: score
               for record, score in zip(records, scores)},
        format_table(records, scores, mean))
