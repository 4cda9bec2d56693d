"""What a file is that cannot be read as a checkpoint."""
import os
import pickletools
import re
import zipfile
from typing import List, Optional

# What files begin with, and what they are then. Only what people really take
# for a checkpoint: a download that failed, or the wrong file of a folder.
_BEGINNINGS = (
    (b'version https://git-lfs', 'a Git LFS pointer (`git lfs pull` fetches '
     'the file that it stands for)'),
    (b'\x1a\x45\xdf\xa3', 'a video'),
    (b'RIFF', 'a video or a sound'),
    (b'OggS', 'a video or a sound'),
    (b'\x00\x00\x01\xba', 'a video'),
    (b'\xff\xd8\xff', 'an image'),
    (b'\x89PNG', 'an image'),
    (b'GIF8', 'an image'),
    (b'%PDF', 'a PDF document'),
    (b'\x89HDF', 'an HDF5 file (Keras?)'),
    (b'\x93NUMPY', 'a NumPy array'),
    (b'\x1f\x8b', 'a gzip archive'),
    (b'BZh', 'a bzip2 archive'),
    (b'\xfd7zXZ', 'an xz archive'),
    (b'7z\xbc\xaf', 'a 7z archive'),
    (b'Rar!', 'a RAR archive'),
    (b'\x7fELF', 'a program'),
)
_HEAD = 512
_PICKLE = b'\x80'
_ZIP = b'PK\x03\x04'
# What pickles a checkpoint's own tensors: nothing that a user could mend.
_OF_TENSORS = re.compile(
    r'torch\._utils\._rebuild|torch\.\w*Storage$|torch\.storage\.|'
    r'torch\.\w*(float|int|bool|complex)\w*$|torch\.nn\.parameter\.Parameter$|'
    r'collections\.OrderedDict$|torch\.(Size|device|Tensor)$')


def describe_kind(path: str) -> Optional[str]:
    """Say what a file is, by its first bytes.

    Args:
        path (str): The file.

    Returns:
        str | None: Such as ``'a web page'``; None if it begins as a
        checkpoint of ``torch.save`` does, or as nothing that is known.
    """
    with open(path, 'rb') as file:
        head = file.read(_HEAD)
    if not head:
        return 'an empty file'
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[4:8] == b'ftyp':
        return 'a video'
    if head[257:262] == b'ustar':
        return 'a tar archive'
    if head[8:10] == b'{"':
        return 'a safetensors file'
    if head.startswith(_ZIP):
        return _kind_of_archive(path)
    # A pickle of protocol 0 is text, too.
    if not head.startswith(_PICKLE) and not pickled_names(path):
        return _kind_of_text(head)
    return None


def _kind_of_archive(path: str) -> Optional[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.rpartition('/')[2] for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        return None  # cut off: its list of files is at the end
    if 'constants.pkl' in names:
        return ('a TorchScript archive, which is a program (save the model\'s '
                'state_dict() instead)')
    return None if 'data.pkl' in names else 'a zip archive'


def _kind_of_text(head: bytes) -> Optional[str]:
    # A character may be cut in two at the end.
    text = head[:-4] if len(head) == _HEAD else head
    text = text.decode('utf-8-sig', errors='replace')
    start = text.lstrip().lower()
    if start.startswith(('<!doctype html', '<html', '<head', '<body')):
        return 'a web page'
    if start.startswith(('<?xml', '<')):
        return 'an XML file or a web page'
    if '\ufffd' in text or not all(
            c.isprintable() or c.isspace() for c in text):
        return None
    return 'a text file'


def pickled_names(path: str) -> List[str]:
    """The functions and classes that a pickle asks for; none is run.

    Args:
        path (str): A pickle, or an archive of ``torch.save`` with one.

    Returns:
        list[str]: Their full names, in order, without those that tensors and
        plain data need. Empty too if it is no pickle.
    """
    names: List[str] = []
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                member = next(name for name in archive.namelist()
                              if name.rpartition('/')[2] == 'data.pkl')
                with archive.open(member) as file:
                    _collect(file, names)
        else:
            with open(path, 'rb') as file:
                # The older format has several pickles behind each other.
                while file.tell() < os.path.getsize(path):
                    _collect(file, names)
    except Exception:  # pickletools has no error of its own
        pass
    return [
        name for name in dict.fromkeys(names) if not _OF_TENSORS.match(name)
    ]


def _collect(file: object, names: List[str]) -> None:
    strings: List[str] = []
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ('GLOBAL', 'INST'):
            names.append(argument.replace(' ', '.'))
        elif opcode.name == 'STACK_GLOBAL':
            names.append('.'.join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
