"""Writing files and folders so that none is ever half-written."""
import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from typing import Iterator, Set

_PREFIX = '.part-'
# What mkstemp() puts behind it.
_LEFT_OVER = re.compile(re.escape(_PREFIX) + r'[a-z0-9_]{8}-')
# Where this process has looked for what a killed one left.
_cleaned: Set[str] = set()


@contextlib.contextmanager
def written_whole(path: str) -> Iterator[str]:
    """Give a temporary name beside ``path``; rename it when all went well.

    What a killed process left in the same folder is removed.

    Args:
        path (str): Where the file shall be. Missing folders are made.

    Yields:
        str: The name to write to; it keeps the suffix. Removed on an error.
    """
    folder, name = _prepare(path)
    handle, temporary = _claimed_file(folder, name)
    try:
        yield temporary
        # mkstemp's files are private; these are like any other.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        os.close(handle)


@contextlib.contextmanager
def whole_folder(path: str) -> Iterator[str]:
    """Give a temporary folder beside ``path``; rename it when all went well.

    What a killed process left beside it is removed.

    Args:
        path (str): Where the folder shall be: nothing or an empty folder.

    Yields:
        str: The folder to write to. Removed on an error.
    """
    folder, name = _prepare(path)
    temporary = tempfile.mkdtemp(prefix=_PREFIX, suffix='-' + name, dir=folder)
    handle = os.open(temporary, os.O_RDONLY)
    try:
        _lock(handle)
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def check_writable(path: str) -> None:
    """Refuse where a file cannot be written, before work is done for it.

    Nothing is left behind.

    Args:
        path (str): Where the file shall be. Folders may be missing, if they
            can be made.

    Raises:
        OSError: If it could not be written, naming file or folder.
    """
    if os.path.isdir(path):
        raise IsADirectoryError(f'{path!r} is a folder, not a file')
    missing = []
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.exists(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    try:
        folder, name = _prepare(path)
        try:
            handle, temporary = _claimed_file(folder, name)
        except OSError as error:
            raise OSError(f'nothing can be written in {folder!r} '
                          f'({error.strerror})') from error
        os.remove(temporary)
        os.close(handle)
    finally:
        # Unless another process has put something there by now.
        with contextlib.suppress(OSError):
            for folder in missing:
                os.rmdir(folder)


def _prepare(path: str) -> tuple:
    """The folder, made and tidied, and the name in it."""
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    if folder not in _cleaned:
        _cleaned.add(folder)
        _remove_left_overs(folder)
    return folder, name


def _claimed_file(folder: str, name: str) -> tuple:
    while True:
        handle, temporary = tempfile.mkstemp(
            prefix=_PREFIX, suffix='-' + name, dir=folder)
        _lock(handle)
        # Another process may have taken it for a left-over before the lock.
        if os.path.exists(temporary):
            return handle, temporary
        os.close(handle)


def _lock(handle: int) -> bool:
    """Mark as in use until closed: a killed process's files are closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # in use, or a file system without locks
        return False
    return True


def _remove_left_overs(folder: str) -> None:
    with contextlib.suppress(OSError):
        names = [n for n in os.listdir(folder) if _LEFT_OVER.match(n)]
        for name in names:
            path = os.path.join(folder, name)
            handle = os.open(path, os.O_RDONLY)
            try:
                if not _lock(handle):
                    continue
                if os.path.isdir(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.remove(path)
            finally:
                os.close(handle)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
