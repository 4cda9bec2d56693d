"""Search of the tracking parameters on a validation set.

Only :mod:`.study` needs optuna; it is imported by ``siamattn search`` alone.
"""
from .config_file import write_config
from .evaluate import SequenceOutcome, TrialOutcome, summarise, track_sequence
from .online_numbers import PREFIX, RefusedValueError, without_numbers
from .sequence_store import SequenceStore, StoredSequence
from .space import Parameter, get_value, make_space, set_values
from .threshold_sweep import ThresholdSweep

__all__ = [
    'PREFIX', 'Parameter', 'RefusedValueError', 'SequenceOutcome',
    'SequenceStore', 'StoredSequence', 'ThresholdSweep', 'TrialOutcome',
    'get_value', 'make_space', 'set_values', 'summarise', 'track_sequence',
    'without_numbers', 'write_config'
]
