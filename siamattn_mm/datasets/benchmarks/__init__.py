"""The benchmarks' data sets, in the layouts in which they are distributed.

mmtrack's own classes need lists that its converters make, fail with bare
asserts, and know neither masks, nor attributes, nor NfS, DAVIS and
YouTube-VOS; these read the folders themselves.
"""
from .base import BenchmarkDataset, BenchmarkSequence
from .davis import DAVISTestDataset
from .got10k import GOT10kTestDataset
from .lasot import LaSOTTestDataset
from .nfs import NfSTestDataset
from .otb100 import OTB100TestDataset
from .trackingnet import TrackingNetTestDataset
from .uav123 import UAV123TestDataset
from .vot import VOTTestDataset
from .youtube_vos import YouTubeVOSTestDataset

__all__ = [
    'BenchmarkDataset', 'BenchmarkSequence', 'DAVISTestDataset',
    'GOT10kTestDataset', 'LaSOTTestDataset', 'NfSTestDataset',
    'OTB100TestDataset', 'TrackingNetTestDataset', 'UAV123TestDataset',
    'VOTTestDataset', 'YouTubeVOSTestDataset'
]
