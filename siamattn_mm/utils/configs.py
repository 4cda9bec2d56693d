"""Where the configs are: in the checkout, or in the installed package.

Only the standard library is needed, so that ``siamattn_cli`` can run this
file alone.
"""
import difflib
import glob
import os
import os.path as osp
from typing import Dict, List, Optional, Union

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))
# The top of the checkout, where the tools are, and what takes its place in an
# installed package: setup.py puts configs/ and other files there.
ROOTS = (osp.dirname(PACKAGE), osp.join(PACKAGE, '.mim'))
# Whose weights ship with the package.
DEFAULT_CONFIG = 'configs/siamattn/siamattn_mobilenetv2.py'
# That a message suggests.
MAX_NAMED = 3


def find_shipped(path: str) -> Optional[str]:
    """Find a file of the checkout, also in the installed package.

    Args:
        path (str): From the top of the checkout.

    Returns:
        str, optional: Where it is; None if it did not come along.
    """
    for root in ROOTS:
        if osp.isfile(osp.join(root, path)):
            return osp.join(root, path)
    return None


def find_config(path: Union[str, os.PathLike]) -> str:
    """Find a config from any folder, also in the installed package.

    Args:
        path (str | os.PathLike): A path; from the folder that the program
            runs in, from the top of the checkout, or, in an installed
            package, from ``siamattn_mm/.mim``, where setup.py puts
            ``configs/``. Or the name of one of these files alone, with or
            without ``.py``.

    Returns:
        str: Where it is; ``path`` if it is in none of these places.
    """
    path = os.fspath(path)
    # A folder of that name, such as a work folder, is no config.
    if osp.isfile(path):
        return path
    found = find_shipped(path)
    if found is not None:
        return found
    if not osp.dirname(path) and path:
        name = glob.escape(path if path.endswith('.py') else f'{path}.py')
        for root in ROOTS:
            named = _shipped(root, name)
            if len(named) == 1:
                return named[0]
    return path


def require_config(path: Union[str, os.PathLike]) -> str:
    """Find a config as :func:`find_config` does, or say that there is none.

    Args:
        path (str | os.PathLike): See there.

    Returns:
        str: Where it is.

    Raises:
        FileNotFoundError: If it is nowhere, naming those that ship with the
            package and are called much the same.
    """
    found = find_config(path)
    if not osp.isfile(found):
        raise FileNotFoundError(
            f'config {found!r} does not exist{did_you_mean(found)}')
    return found


def did_you_mean(path: str) -> str:
    """Name shipped configs that are called much the same as one that is not.

    Args:
        path (str): A path or a name, with or without ``.py``.

    Returns:
        str: To be put behind a message, ``"; did you mean 'a' or 'b'?"``; up
        to three names that :func:`find_config` knows, the nearest first, or
        ``''`` if there are none.
    """
    by_name: Dict[str, List[str]] = {}
    for root in ROOTS:
        for found in _shipped(root, '*.py'):
            place = osp.relpath(found, root)
            known = by_name.setdefault(_stem(place), [])
            if place not in known:
                known.append(place)
    near: List[str] = []
    for name in difflib.get_close_matches(_stem(path), by_name, MAX_NAMED):
        # A name alone has to be one file's.
        places = by_name[name]
        near += [name] if len(places) == 1 else sorted(places)
    names = ' or '.join(map(repr, near[:MAX_NAMED]))
    return f'; did you mean {names}?' if names else ''


def _shipped(root: str, pattern: str) -> List[str]:
    # Those in _base_ are parts.
    return glob.glob(
        osp.join(root, 'configs', '[!_]*', '**', pattern), recursive=True)


def _stem(path: str) -> str:
    return osp.splitext(osp.basename(path))[0]
