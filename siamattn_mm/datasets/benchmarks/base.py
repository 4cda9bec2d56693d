"""What the benchmarks' data sets have in common."""
import logging
import os.path as osp
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np
from mmengine.logging import print_log

from ..reading.sequence_folder import check_fits
from ..reading.tracking_sequence import TrackingSequence
from ..sot_folder_dataset import SOTFolderDataset
from ..storage.string_table import StringTable


@dataclass(frozen=True, eq=False)
class BenchmarkSequence(TrackingSequence):
    """A sequence with what some benchmarks know of it beside the boxes.

    Args:
        object_id (int, optional): The target's number in the mask files.
            Defaults to None: whatever is not 0.
        attributes (tuple[str, ...]): For figures per attribute. Defaults to
            none.
    """
    object_id: Optional[int] = None
    attributes: Tuple[str, ...] = ()

    def mask_path(self, index: int) -> Optional[str]:
        """Path of the mask of frame ``index``, None where there is none."""
        if self.mask_names is None or not self.mask_names[index]:
            return None
        return super().mask_path(index)


class BenchmarkDataset(SOTFolderDataset):
    """A benchmark in the layout in which it is distributed.

    A subclass says which sequences there are (``list_sequences``) and reads
    one (``read_sequence``), with :meth:`make_sequence`. For testing only.

    The frames' results also hold ``object_id`` (int, or None), and the meta
    information of the data set holds ``attributes``, a dict from the
    sequence's name to a list of its attributes, where there are any.

    Args:
        data_root (str): The benchmark's folder; its class says what is in it.
        kwargs: See ``SOTFolderDataset``; ``test_mode`` is True.

    Raises:
        SequenceFolderError: If a file or folder is not as expected; the
            message names it, and the line where there is one.
    """
    # How many sequences the whole benchmark has, where that is known.
    OFFICIAL_LENGTH: Optional[int] = None

    def __init__(self, data_root: str, test_mode: bool = True,
                 **kwargs) -> None:
        if not test_mode:
            raise ValueError(f'{type(self).__name__} is for testing only')
        super().__init__(data_root=data_root, test_mode=True, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Read all sequences, and say so if some are missing.

        Returns:
            list[dict]: See ``SOTFolderDataset``.
        """
        data_list = super().load_data_list()
        if (self.sequences is None and self.OFFICIAL_LENGTH is not None
                and len(data_list) != self.OFFICIAL_LENGTH):
            print_log(
                f'{self.data_root!r} holds {len(data_list)} of the '
                f'{self.OFFICIAL_LENGTH} sequences of this benchmark: its '
                'figures are not comparable',
                logger='current',
                level=logging.WARNING)
        attributes = {
            info['sequence'].name: list(info['sequence'].attributes)
            for info in data_list if info['sequence'].attributes
        }
        if attributes:
            self._metainfo['attributes'] = attributes
        return data_list

    def frame_meta(self, sequence: BenchmarkSequence, frame_idx: int) -> dict:
        """dict: The base class's, and ``object_id``."""
        meta = super().frame_meta(sequence, frame_idx)
        return dict(meta, object_id=sequence.object_id)

    @staticmethod
    def make_sequence(name: str,
                      folder: str,
                      frame_names: Sequence[str],
                      boxes: np.ndarray,
                      mask_names: Optional[Sequence[str]] = None,
                      **kwargs) -> BenchmarkSequence:
        """Make a sequence of lists.

        Args:
            name (str): Of its result files.
            folder (str): What the names are relative to.
            frame_names (Sequence[str]): N images.
            boxes (ndarray): (N, 4) float32 x, y, w, h, nan where absent.
            mask_names (Sequence[str], optional): N masks, '' where there is
                none. Defaults to None.
            kwargs: See :class:`BenchmarkSequence`.

        Returns:
            BenchmarkSequence: Its arrays.

        Raises:
            SequenceFolderError: If the boxes lie outside of the frames.
        """
        check_fits(f'ground truth of {folder}', boxes,
                   osp.join(folder, frame_names[0]))
        return BenchmarkSequence(
            name=name,
            folder=folder,
            frame_names=StringTable(frame_names),
            boxes=boxes,
            mask_names=None if mask_names is None else StringTable(mask_names),
            **kwargs)
