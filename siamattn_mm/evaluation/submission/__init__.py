"""Files that the benchmarks' servers take, made of result files."""
from .boxes import (
    check_got10k,
    check_trackingnet,
    make_got10k,
    make_trackingnet,
    official_lengths,
)
from .files import SubmissionError, tracked_sequences
from .masks import check_masks, make_masks
from .vot import check_vot, make_vot

__all__ = [
    'SubmissionError', 'check_got10k', 'check_masks', 'check_trackingnet',
    'check_vot', 'make_got10k', 'make_masks', 'make_trackingnet', 'make_vot',
    'official_lengths', 'tracked_sequences'
]
