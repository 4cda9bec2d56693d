"""A page that compares result folders."""
from .build import build_report
from .result_folder import ResultFolder, ResultFolderError
from .sequences import ReportSequence, sequences_of

__all__ = [
    'ReportSequence', 'ResultFolder', 'ResultFolderError', 'build_report',
    'sequences_of'
]
