"""Samplers of training pairs."""
from .pair_sampler import InfinitePairSampler, PairSampler

__all__ = ['InfinitePairSampler', 'PairSampler']
