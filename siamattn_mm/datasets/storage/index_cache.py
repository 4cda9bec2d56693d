"""Keeping what was read from many annotation files in one."""
import hashlib
import logging
import os
import os.path as osp
import zipfile
from typing import Any, Callable, Dict, Iterable, Optional

import numpy as np
from mmengine.logging import print_log

from siamattn_mm.utils.files import written_whole

# Changes when what is stored does.
_FORMAT = 1


def fingerprint(paths: Iterable[str], *settings: Any) -> str:
    """Tell whether an index still fits what it was made of.

    Args:
        paths (Iterable[str]): Files, or folders. A folder changes when a file
            is added, removed or renamed in it, but not when one is written
            anew in its place.
        settings (Any): Whatever else the index depends on.

    Returns:
        str: Another one after a change.
    """
    digest = hashlib.sha1(repr((_FORMAT, ) + settings).encode())
    for path in paths:
        status = os.stat(path)
        # The path itself is left out: data sets get moved.
        digest.update(f'{osp.basename(path)} {status.st_mtime_ns}'.encode())
        if not osp.isdir(path):
            digest.update(f' {status.st_size}'.encode())
    return digest.hexdigest()


def cached_index(
        path: Optional[str], key: str,
        make: Callable[[], Dict[str, np.ndarray]]) -> Dict[str, np.ndarray]:
    """Load an index, or make it and save it.

    Args:
        path (str, optional): The ``.npz`` file; None makes it every time.
        key (str): From :func:`fingerprint`.
        make (Callable): Makes the index.

    Returns:
        dict[str, ndarray]: The index.
    """
    index = None if path is None else _load(path, key)
    if index is not None:
        return index
    index = make()
    if path is not None:
        try:
            with written_whole(path) as name, open(name, 'wb') as file:
                np.savez(file, key=np.array(key), **index)
        except OSError as error:
            # Data sets are often on file systems that are read-only.
            print_log(
                f'the index of the annotations is not kept: {error}. It will '
                'be made again next time',
                logger='current',
                level=logging.WARNING)
    return index


def _load(path: str, key: str) -> Optional[Dict[str, np.ndarray]]:
    try:
        # np.load does not close a file that turns out to be broken.
        with open(path, 'rb') as raw, np.load(raw) as file:
            if str(file['key']) != key:
                return None
            return {name: file[name] for name in file.files if name != 'key'}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
