"""Data sets, registered in mmtrack's ``DATASETS``."""
from . import benchmarks, transforms
from .reading.ground_truth import SequenceFolderError
from .reading.sequence_folder import find_sequences, read_sequence
from .reading.tracking_sequence import TrackingSequence
from .samplers import InfinitePairSampler, PairSampler, SequenceSampler
from .sot_folder_dataset import SOTFolderDataset
from .sot_pair_dataset import SOTPairDataset
from .sources import (
                              CocoSource,
                              GOT10kSource,
                              ImageNetDETSource,
                              ImageNetVIDSource,
                              LaSOTSource,
                              RegionSource,
                              SequenceFolderSource,
                              SyntheticSource,
                              TrackingNetSource,
                              YouTubeBBSource,
                              YouTubeVOSSource,
)
from .storage.packed_collate import packed_collate
from .synthetic_sot_dataset import SyntheticSOTDataset

__all__ = [
    'CocoSource', 'GOT10kSource', 'ImageNetDETSource', 'ImageNetVIDSource',
    'InfinitePairSampler', 'LaSOTSource', 'PairSampler', 'RegionSource',
    'SOTFolderDataset', 'SOTPairDataset', 'SequenceFolderError',
    'SequenceFolderSource', 'SequenceSampler', 'SyntheticSOTDataset',
    'SyntheticSource', 'TrackingNetSource', 'TrackingSequence',
    'YouTubeBBSource', 'YouTubeVOSSource', 'benchmarks', 'find_sequences',
    'packed_collate', 'read_sequence', 'transforms'
]
