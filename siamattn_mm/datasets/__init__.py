"""Data sets, registered in mmtrack's ``DATASETS``."""
from . import benchmarks, transforms
from .packed_collate import packed_collate
from .samplers import InfinitePairSampler, PairSampler, SequenceSampler
from .sequence_folder import (
                              SequenceFolderError,
                              TrackingSequence,
                              find_sequences,
                              read_sequence,
)
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
