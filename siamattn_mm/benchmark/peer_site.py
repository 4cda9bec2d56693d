"""A folder with opencv-contrib, apart from the environment's OpenCV."""
import os
import os.path as osp
import shutil
import subprocess
import sys
import tempfile
from typing import Optional

import cv2

from siamattn_mm.utils.configs import find_shipped

from .errors import BenchmarkError

REQUIREMENT = 'requirements/peers.txt'


def default_cache() -> str:
    """The user's cache folder of this project.

    Returns:
        str: Its path, the same that ``tools/setup.sh`` uses.
    """
    home = os.environ.get('XDG_CACHE_HOME') or osp.expanduser('~/.cache')
    return osp.join(home, 'siamattn_mm')


def read_requirement(path: str) -> str:
    """The one requirement of ``requirements/peers.txt``.

    Args:
        path (str): The file.

    Returns:
        str: e.g. ``'opencv-contrib-python-headless==4.11.0.86'``.

    Raises:
        BenchmarkError: If the file is absent, or does not pin one package.
    """
    try:
        with open(path, encoding='utf-8') as file:
            lines = [line.split('#')[0].strip() for line in file]
    except OSError as error:
        raise BenchmarkError(f'{path}: {error.strerror}') from error
    lines = [line for line in lines if line]
    if len(lines) != 1 or '==' not in lines[0]:
        raise BenchmarkError(f'{path}: expected one line name==version, but '
                             f'it has {lines}')
    return lines[0]


def opencv_site() -> str:
    """The folder with the OpenCV of ``requirements/peers.txt``.

    Returns:
        str: See :func:`peer_site`.

    Raises:
        BenchmarkError: See there, and :func:`read_requirement`.
    """
    return peer_site(
        read_requirement(find_shipped(REQUIREMENT) or REQUIREMENT))


def peer_site(requirement: str, cache: Optional[str] = None) -> str:
    """The folder to put in front of the search path; installed if need be.

    Flavours of OpenCV overwrite each other's ``cv2``, so opencv-contrib must
    not be installed into an environment that has another one.

    Args:
        requirement (str): ``name==version``.
        cache (str, optional): Where such folders are kept. Defaults to None:
            :func:`default_cache`.

    Returns:
        str: A folder with ``cv2`` in it, or '' if the environment's own
        OpenCV has the trackers.

    Raises:
        BenchmarkError: If pip cannot install it.
    """
    if hasattr(cv2, 'TrackerCSRT_create'):
        return ''
    name = requirement.replace('==', '-')
    python = f'cp{sys.version_info[0]}{sys.version_info[1]}'
    folder = osp.join(cache or default_cache(), 'peers', f'{name}-{python}')
    if osp.isdir(osp.join(folder, 'cv2')):
        return folder
    print(f'installing {requirement} into {folder}', file=sys.stderr)
    os.makedirs(osp.dirname(folder), exist_ok=True)
    temporary = tempfile.mkdtemp(dir=osp.dirname(folder))
    try:
        # numpy is the environment's.
        done = subprocess.run([
            sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps',
            '--target', temporary, requirement
        ], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            said = done.stdout.decode(errors='replace').strip().splitlines()
            raise BenchmarkError(
                f'pip cannot install {requirement} (is there a network?): '
                f'{said[-1] if said else "it said nothing"}')
        # Another run may have been faster.
        if not osp.isdir(folder):
            os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
