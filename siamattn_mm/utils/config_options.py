"""``--cfg-options`` of the command lines."""
import argparse
from typing import Optional, Sequence

from mmengine.config import DictAction


class ConfigOptions(DictAction):
    """mmengine's ``DictAction``, which says what it cannot read.

    Values are plain ones, and lists and tuples of them; dicts are none of
    them, for which mmengine recurses without an end.
    """

    def __call__(self,
                 parser: argparse.ArgumentParser,
                 namespace: argparse.Namespace,
                 values: Optional[Sequence[str]],
                 option_string: Optional[str] = None) -> None:
        """Add what is given to the options so far.

        Args:
            parser (ArgumentParser): Exits with the error.
            namespace (Namespace): Changed in place.
            values (Sequence[str], optional): ``KEY=VALUE`` each.
            option_string (str, optional): The option's name.

        Raises:
            ArgumentError: If one is no ``KEY=VALUE``, or its value cannot be
                read.
        """
        for pair in values or ():
            key, sign, value = pair.partition('=')
            if not (key and sign):
                raise argparse.ArgumentError(
                    self, f'KEY=VALUE is wanted, but got {pair!r}')
            try:
                super().__call__(parser, namespace, [pair], option_string)
            except (AssertionError, RecursionError):
                raise argparse.ArgumentError(
                    self, f'{key}: {value!r} is neither a plain value nor a '
                    'list or tuple of them, such as "[1,2]" or "(a,b)"; '
                    'dicts go into a config of your own (_base_ = CONFIG), '
                    'or key by key: KEY.NAME=VALUE') from None
