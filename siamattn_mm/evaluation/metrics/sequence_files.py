"""Metrics that write files for each sequence."""
from abc import ABCMeta, abstractmethod


class SequenceFilesMixin(metaclass=ABCMeta):
    """What ``ResumeTestHook`` asks of a metric that writes files.

    A metric without files need not have it.
    """

    @abstractmethod
    def has_files(self, results: list) -> bool:
        """Whether all files of a finished sequence are there.

        Args:
            results (list): What the metric appended to its ``results`` for
                it.

        Returns:
            bool: False if the sequence must be tracked again.
        """

    @abstractmethod
    def remove_files(self, sequence: str) -> None:
        """Remove what an earlier run has written of a sequence.

        Args:
            sequence (str): Its name. There need not be anything of it.
        """
