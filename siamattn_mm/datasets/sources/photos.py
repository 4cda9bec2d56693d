"""Folders of photographs without annotations."""
import os
import os.path as osp

from ..storage.string_table import StringTable

_SUFFIXES = ('.jpg', '.jpeg', '.png')


def list_photos(root: str) -> StringTable:
    """File names of the photographs in a folder, sorted.

    Args:
        root (str): The folder.

    Returns:
        StringTable: The names, without the folder.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If there are no photographs in it.
    """
    if not osp.isdir(root):
        raise FileNotFoundError(f'no photo folder {root}')
    names = sorted(
        name for name in os.listdir(root) if name.lower().endswith(_SUFFIXES))
    if not names:
        raise ValueError(f'{root} has no photographs '
                         f'({", ".join(_SUFFIXES)})')
    return StringTable(names)
