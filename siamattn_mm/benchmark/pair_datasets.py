"""One folder of sequences for both training pipelines: ours and mmtrack's."""
from typing import Dict, List, Sequence, Union

import numpy as np
from mmtrack.datasets import BaseSOTDataset
from mmtrack.registry import DATASETS
from torch.utils.data import Dataset

from siamattn_mm.datasets import find_sequences, read_sequence

from .errors import BenchmarkError

FRAME_RANGE = 100
POS_PROB = 0.8
SHIFT, SCALE = (4, 64), (0.05, 0.18)
BLUR_PROB = (0., 0.2)

# As it is in mmtrack's SiamRPN++ config.
MMTRACK_PIPELINE = [
    dict(
        type='PairSampling',
        frame_range=FRAME_RANGE,
        pos_prob=POS_PROB,
        filter_template_img=False),
    dict(
        type='TransformBroadcaster',
        share_random_params=False,
        transforms=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadTrackAnnotations', with_instance_id=False),
            dict(
                type='CropLikeSiamFC',
                context_amount=0.5,
                exemplar_size=127,
                crop_size=511)
        ]),
    dict(
        type='SeqShiftScaleAug',
        target_size=[127, 255],
        shift=list(SHIFT),
        scale=list(SCALE)),
    dict(type='SeqColorAug', prob=[1.0, 1.0]),
    dict(type='SeqBlurAug', prob=list(BLUR_PROB)),
    dict(type='PackTrackInputs', ref_prefix='search', num_template_frames=1)
]

# The same changes of the images by this project's transforms, masks included.
OUR_PIPELINE = [
    dict(type='SiamPairCrop', shift=SHIFT, scale=SCALE),
    dict(type='PairColorJitter'),
    dict(type='PairBlur', prob=BLUR_PROB, sizes=(5, 45)),
    dict(type='PackSOTPair')
]


@DATASETS.register_module()
class MMTrackFolderDataset(BaseSOTDataset):
    """Sequences in folders for mmtrack's training pipeline.

    The least that mmtrack asks of a data set: everything else is its own. The
    ground truth is in memory, where mmtrack's data sets parse a text file for
    each sample, so that the pipelines alone are compared.

    Args:
        sequences (list[TrackingSequence]): With the target in every frame.
        **kwargs: See mmtrack's ``BaseSOTDataset``.
    """

    def __init__(self, sequences: list, **kwargs) -> None:
        self._sequences = sequences
        super().__init__(**kwargs)

    def load_data_list(self) -> List[dict]:
        """One entry a sequence."""
        return [
            dict(start_frame_id=0, end_frame_id=len(sequence) - 1)
            for sequence in self._sequences
        ]

    def get_bboxes_from_video(self, video_idx: int) -> np.ndarray:
        """(N, 4) x, y, w, h."""
        return self._sequences[video_idx].boxes.copy()

    def get_img_infos_from_video(self, video_idx: int) -> dict:
        """dict: A video's id, and its frames' numbers and files."""
        sequence = self._sequences[video_idx]
        return dict(
            video_id=video_idx,
            frame_ids=np.arange(len(sequence)),
            img_paths=sequence.frame_paths,
            video_length=len(sequence))


def build_datasets(data_root: str,
                   sequences: Union[None, str, Sequence[str]] = None
                   ) -> Dict[str, Dataset]:
    """Both data sets, over the same frames.

    Sequences in which the target is absent somewhere are left out, since
    mmtrack's pipeline would crop around a box of no size.

    Args:
        data_root (str): Folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns.
            Defaults to None: all.

    Returns:
        dict[str, Dataset]: ``ours`` and ``mmtrack``.

    Raises:
        BenchmarkError: If fewer than two sequences are left.
        SequenceFolderError: If a sequence is not as expected.
    """
    found = [read_sequence(p) for p in find_sequences(data_root, sequences)]
    found = [sequence for sequence in found if sequence.visible.all()]
    if len(found) < 2:
        raise BenchmarkError(f'{data_root!r}: two sequences or more with the '
                             'target in every frame are needed, but there '
                             f'{"is" if found else "are"} {len(found)}')
    ours = DATASETS.build(
        dict(
            type='SOTPairDataset',
            sources=dict(
                video=dict(
                    type='SequenceFolderSource',
                    data_root=data_root,
                    sequences=[sequence.name for sequence in found],
                    frame_range=FRAME_RANGE,
                    min_size=0)),
            neg_prob=1 - POS_PROB,
            # No image is kept: a real data set does not fit.
            cache_mb=0,
            pipeline=OUR_PIPELINE))
    theirs = DATASETS.build(
        dict(
            type='MMTrackFolderDataset',
            sequences=found,
            pipeline=MMTRACK_PIPELINE,
            test_mode=False))
    return dict(ours=ours, mmtrack=theirs)
