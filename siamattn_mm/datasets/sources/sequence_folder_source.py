"""Video from folders of annotated sequences."""
import os.path as osp
from typing import Optional, Sequence, Union

import numpy as np
from mmtrack.registry import DATASETS

from ..reading.sequence_folder import find_sequences, read_sequence
from ..storage.mask_store import MaskFiles
from ..storage.string_table import StringTable
from ..storage.track_table import TrackTable, concat_tracks
from .track_source import TrackSource, check_sizes


@DATASETS.register_module()
class SequenceFolderSource(TrackSource):
    """Pairs from folders of images with a ground truth file each.

    The layout is that of
    :mod:`siamattn_mm.datasets.reading.sequence_folder`; every sequence is one
    track. Sequences with a mask for each frame may stand
    beside sequences without.

    Args:
        data_root (str): Folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns of the
            sequences to use, or, with ``!`` in front, to leave out.
            Defaults to None: all.
        frame_range (int): See :class:`TrackSource`. Defaults to 100.
        min_size (float): Frames whose box has a side below this many pixels
            are left out. Defaults to 4.
        pairs_per_epoch (int, optional): See :class:`PairSource`.
        distinct_objects (bool): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If ``data_root`` is not there.
        SequenceFolderError: If a sequence does not have the layout.
        ValueError: If no frame is left.
    """

    def __init__(self,
                 data_root: str,
                 sequences: Union[None, str, Sequence[str]] = None,
                 frame_range: int = 100,
                 min_size: float = 4,
                 pairs_per_epoch: Optional[int] = None,
                 distinct_objects: bool = True) -> None:
        if not osp.isdir(osp.expanduser(data_root)):
            raise FileNotFoundError(f'no folder {data_root}')
        names, masks = [], []
        lengths, bboxes, frame_ids, mask_ids = [], [], [], []
        largest = 0.
        for folder in find_sequences(data_root, sequences):
            sequence = read_sequence(folder)
            # A comparison with nan is false: absent frames are left out too.
            frames = np.flatnonzero(
                (sequence.boxes[:, 2:] >= min_size).all(axis=1))
            sides = sequence.boxes[sequence.visible, 2:].min(axis=1)
            largest = max(largest, sides.max(initial=0))
            if len(frames) == 0:
                continue
            lengths.append(len(frames))
            bboxes.append(sequence.boxes[frames])
            frame_ids.append(frames)
            names += [
                osp.join(sequence.name, sequence.frame_names[i])
                for i in frames
            ]
            if sequence.mask_names is None:
                mask_ids.append(np.full(len(frames), -1))
            else:
                mask_ids.append(len(masks) + np.arange(len(frames)))
                masks += [sequence.mask_path(i) for i in frames]
        check_sizes(len(names), largest, min_size, data_root)
        super().__init__(
            table=TrackTable(
                images=StringTable(names),
                lengths=lengths,
                image_ids=np.arange(len(names)),
                bboxes=concat_tracks(bboxes, np.float32, 4),
                frame_ids=concat_tracks(frame_ids, np.int32),
                mask_ids=concat_tracks(mask_ids, np.int32)),
            img_root=osp.expanduser(data_root),
            masks=MaskFiles(StringTable(masks)),
            frame_range=frame_range,
            pairs_per_epoch=pairs_per_epoch,
            distinct_objects=distinct_objects)
