"""What more than one part needs."""
from .checkpoint import (
                         CheckpointError,
                         load_into,
                         load_state_dict,
                         load_weights,
                         state_dict_problems,
)

__all__ = [
    'CheckpointError', 'load_into', 'load_state_dict', 'load_weights',
    'state_dict_problems'
]
