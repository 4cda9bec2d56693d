"""What more than one part needs."""
from .checkpoint import (
    CheckpointError,
    check_finite,
    check_fit,
    find_weights,
    load_into,
    load_state_dict,
    load_weights,
    state_dict_problems,
)
from .files import written_whole

__all__ = [
    'CheckpointError', 'check_finite', 'check_fit', 'find_weights',
    'load_into', 'load_state_dict', 'load_weights', 'state_dict_problems',
    'written_whole'
]
