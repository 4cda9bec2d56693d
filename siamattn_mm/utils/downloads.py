"""Files that are named by an address."""
import base64
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import urllib.parse
import urllib.request

import torch

from .files import written_whole

TIMEOUT = 10.  # seconds without an answer
_WEB = ('http://', 'https://')
# As torch.hub and OpenMMLab name files: SHA-256's first digits.
_HASH = re.compile(r'-([0-9a-f]{8,64})\.')


def local_file(address: str) -> str:
    """The path of a file, fetched first if it is on a web server.

    It is kept, as PyTorch keeps what it fetches, in
    ``torch.hub.get_dir()/checkpoints``, and not fetched again. PyTorch takes
    the last part of an address for the file's name, so that of two servers'
    ``model.pth`` it gives the first one: here, unless the name has the file's
    hash in it (``model-0123abcd.pth``), which is checked, the address' own
    hash is put before it.

    Args:
        address (str): ``http://``, ``https://`` or ``file://``; anything else
            is a path, and is given back.

    Returns:
        str: The path.

    Raises:
        OSError: If it cannot be fetched, naming the address without a
            password.
    """
    if address.lower().startswith('file://'):
        parts = urllib.parse.urlsplit(address)
        if parts.netloc not in ('', 'localhost'):
            raise OSError(f'{address!r} names a machine, {parts.netloc!r}; '
                          'expected file:///PATH')
        return urllib.parse.unquote(parts.path)
    if not is_fetched(address):
        return address
    name = os.path.basename(
        urllib.parse.unquote(urllib.parse.urlsplit(address).path))
    known = _HASH.search(name)
    if known is None:
        name = f'{_sha256(address.encode())[:8]}-{name}'
    folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    with _one_at_a_time(folder):
        if not os.path.isfile(path):
            try:
                _fetch(address, path, known[1] if known else '')
            # http.client has kinds of its own.
            except Exception as error:
                raise OSError(f'{without_password(address)!r} cannot be '
                              f'fetched ({_reason(error)})') from None
    return path


def is_fetched(address: str) -> bool:
    """Whether :func:`local_file` has to fetch it.

    Args:
        address (str): A path or an address.

    Returns:
        bool: True for ``http://`` and ``https://``.
    """
    return address.lower().startswith(_WEB)


def without_password(address: str) -> str:
    """An address as messages may show it.

    Args:
        address (str): Maybe with ``user:password@`` in it.

    Returns:
        str: Without these.
    """
    return re.sub(r'(?<=://)[^/@]*@', '', address)


def _fetch(address: str, path: str, expected_hash: str) -> None:
    request = urllib.request.Request(
        without_password(address), headers={'User-Agent': 'siamattn_mm'})
    account = urllib.parse.urlsplit(address).netloc.rpartition('@')[0]
    if account:
        token = base64.b64encode(urllib.parse.unquote(account).encode())
        request.add_header('Authorization', 'Basic ' + token.decode())
    with written_whole(path) as temporary:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            length = answer.headers.get('Content-Length')
            with open(temporary, 'wb') as file:
                shutil.copyfileobj(answer, file)
        size = os.path.getsize(temporary)
        if length is not None and size != int(length):
            raise OSError(f'it ended after {size} of {length} bytes')
        if expected_hash:
            with open(temporary, 'rb') as file:
                found = _sha256(file.read())
            if not found.startswith(expected_hash):
                raise OSError(f'its SHA-256 is {found[:len(expected_hash)]}, '
                              f'but {expected_hash} by its name')


@contextlib.contextmanager
def _one_at_a_time(folder: str):
    """Of the processes of a distributed run, one fetches."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _reason(error: Exception) -> str:
    """Of a wrapped error, what is in it."""
    reason = getattr(error, 'reason', error)
    if getattr(error, 'code', None):
        return f'{error.code} {reason}'
    return str(reason).splitlines()[0] if str(reason) else type(
        reason).__name__
