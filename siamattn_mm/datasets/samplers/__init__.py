"""Samplers of training pairs and of test sequences."""
from .pair_sampler import InfinitePairSampler, PairSampler
from .sequence_sampler import SequenceSampler

__all__ = ['InfinitePairSampler', 'PairSampler', 'SequenceSampler']
