"""Writing files so that none is ever half-written."""
import contextlib
import os
import tempfile
from typing import Iterator


@contextlib.contextmanager
def written_whole(path: str) -> Iterator[str]:
    """Give a temporary name beside ``path``; rename it when all went well.

    Args:
        path (str): Where the file shall be. Missing folders are made.

    Yields:
        str: The name to write to; it keeps the suffix. Removed on an error.
    """
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        prefix='.', suffix='-' + name, dir=folder)
    os.close(handle)
    try:
        yield temporary
        # mkstemp's files are private; these are like any other.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
