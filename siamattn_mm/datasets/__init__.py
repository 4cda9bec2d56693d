"""Data sets, registered in mmtrack's ``DATASETS``."""
from . import transforms
from .samplers import InfinitePairSampler, PairSampler
from .sequence_folder import (
                              SequenceFolderError,
                              TrackingSequence,
                              find_sequences,
                              read_sequence,
)
from .sot_folder_dataset import SOTFolderDataset
from .sot_pair_dataset import SOTPairDataset
from .sources import CocoSource, SequenceFolderSource, SyntheticSource

__all__ = [
    'CocoSource', 'InfinitePairSampler', 'PairSampler', 'SOTFolderDataset',
    'SOTPairDataset', 'SequenceFolderError', 'SequenceFolderSource',
    'SyntheticSource', 'TrackingSequence', 'find_sequences', 'read_sequence',
    'transforms'
]
