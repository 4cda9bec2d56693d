"""Where the configs are: in the checkout, or in the installed package."""
import glob
import os.path as osp

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))
# Of the checkout, where the tools are.
ROOT = osp.dirname(PACKAGE)


def find_config(path: str) -> str:
    """Find a config from any folder, also in the installed package.

    Args:
        path (str): A path; from the folder that the program runs in, from
            the top of the checkout, or, in an installed package, from
            ``siamattn_mm/.mim``, where setup.py puts ``configs/``. Or the
            name of one of these files alone, with or without ``.py``.

    Returns:
        str: Where it is; ``path`` if it is in none of these places.
    """
    if osp.exists(path):
        return path
    places = ROOT, osp.join(PACKAGE, '.mim')
    for place in places:
        if osp.isfile(osp.join(place, path)):
            return osp.join(place, path)
    if not osp.dirname(path) and path:
        name = glob.escape(path if path.endswith('.py') else f'{path}.py')
        for place in places:
            # Those in _base_ are parts.
            found = glob.glob(
                osp.join(place, 'configs', '[!_]*', '**', name),
                recursive=True)
            if len(found) == 1:
                return found[0]
    return path
