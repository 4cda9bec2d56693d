"""Where the configs are: in the checkout, or in the installed package.

Only the standard library is needed, so that ``siamattn_cli`` can run this
file alone.
"""
import glob
import os
import os.path as osp
from typing import Optional, Union

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))
# The top of the checkout, where the tools are, and what takes its place in an
# installed package: setup.py puts configs/ and other files there.
ROOTS = (osp.dirname(PACKAGE), osp.join(PACKAGE, '.mim'))
# Whose weights ship with the package.
DEFAULT_CONFIG = 'configs/siamattn/siamattn_mobilenetv2.py'


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
            # Those in _base_ are parts.
            named = glob.glob(
                osp.join(root, 'configs', '[!_]*', '**', name),
                recursive=True)
            if len(named) == 1:
                return named[0]
    return path
