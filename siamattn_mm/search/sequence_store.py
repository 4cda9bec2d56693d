"""Sequences in memory: every trial reads the same frames again."""
from typing import Callable, List, Optional, Sequence, Union

import numpy as np

from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.datasets.reading.image_reader import (
    ImageReader,
    decode_image,
    read_bytes,
)
from siamattn_mm.datasets.reading.sequence_folder import (
    find_sequences,
    read_sequence,
)
from siamattn_mm.datasets.reading.tracking_sequence import TrackingSequence
from siamattn_mm.datasets.reading.value_stretch import ValueStretch


class StoredSequence:
    """One sequence with its frames and masks.

    Args:
        sequence (TrackingSequence): Names and ground truth.
        length (int): Frames to take, from the first.
        room (int): Bytes that decoded frames may take; the other frames are
            kept as the files' bytes, and decoded each time.

    Attributes:
        name (str): The folder's name.
        truth (ndarray): (N, 4) x, y, w, h, nan where absent.
        first (ndarray): (4,) or (8,), what the tracker is given.
        masks (list[ndarray], optional): N masks (H, W) bool.
        used (int): Bytes that the frames take.

    Raises:
        SequenceFolderError: If the target is absent in the first frame.
        UnreadableFrameError: If an image cannot be read.
    """

    def __init__(self, sequence: TrackingSequence, length: int,
                 room: int) -> None:
        if not sequence.visible[0]:
            raise SequenceFolderError(
                f'sequence {sequence.folder!r}: the target is absent in the '
                'first frame, so that no tracker can be initialised')
        self.name = sequence.name
        self.truth = sequence.boxes[:length].astype(np.float64)
        self.first = (sequence.boxes if sequence.polygons is None else
                      sequence.polygons)[0].astype(np.float64)
        self.used = 0
        self._paths = sequence.frame_paths[:length]
        # Chosen by the first frame, which is decoded first.
        self._stretch = ValueStretch()
        self._frames = [self._store(path, room) for path in self._paths]
        self.masks: Optional[List[np.ndarray]] = None
        if sequence.mask_names is not None:
            reader = ImageReader()
            self.masks = [
                reader.mask(path) > 0 for path in sequence.mask_paths[:length]
            ]

    def __len__(self) -> int:
        """Number of frames N."""
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        """One frame.

        Args:
            index (int): From 0.

        Returns:
            ndarray: (H, W, 3) uint8, BGR.
        """
        stored = self._frames[index]
        return stored if stored.ndim == 3 else decode_image(
            stored, self._paths[index], self._stretch)

    def _store(self, path: str, room: int) -> np.ndarray:
        data = read_bytes(path)
        decoded = decode_image(data, path, self._stretch)
        if self.used + decoded.nbytes <= room:
            data = decoded
        self.used += data.nbytes
        return data


class SequenceStore:
    """All sequences of a search.

    Args:
        data_root (str): The folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns
            (``'davis-*'``). Defaults to None: all.
        max_frames (int, optional): Take at most so many frames of each, from
            the first. Defaults to None: all.
        max_bytes (int): Keep frames decoded as long as they fit in here.
            Defaults to 2e9.
        seed (int): Of the order, which is shuffled once: early sequences
            decide whether a trial is given up, and neighbours by name are
            alike. Defaults to 0.
        progress (Callable, optional): Called with the number of sequences
            read and of all. Defaults to None.

    Attributes:
        sequences (list[StoredSequence]): In the order of evaluation.

    Raises:
        SequenceFolderError: If a folder or file is not as expected.
        UnreadableFrameError: If an image cannot be read.
    """

    def __init__(self,
                 data_root: str,
                 sequences: Union[None, str, Sequence[str]] = None,
                 max_frames: Optional[int] = None,
                 max_bytes: int = int(2e9),
                 seed: int = 0,
                 progress: Optional[Callable[[int, int], None]] = None
                 ) -> None:
        paths = find_sequences(data_root, sequences)
        np.random.default_rng(seed).shuffle(paths)
        self.sequences: List[StoredSequence] = []
        room = max_bytes
        for path in paths:
            sequence = read_sequence(path)
            length = len(sequence) if max_frames is None else min(
                len(sequence), max_frames)
            stored = StoredSequence(sequence, length, room)
            room = max(0, room - stored.used)
            self.sequences.append(stored)
            if progress is not None:
                progress(len(self.sequences), len(paths))

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.sequences)

    @property
    def num_frames(self) -> int:
        """int: Of all sequences together."""
        return sum(len(sequence) for sequence in self.sequences)

    @property
    def has_masks(self) -> bool:
        """bool: Whether any sequence has masks."""
        return any(s.masks is not None for s in self.sequences)
