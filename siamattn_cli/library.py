"""Names of single files of siamattn_mm, without importing the package."""
import importlib.util
import os.path as osp
import runpy
from typing import Any, Dict


def names_of(*parts: str) -> Dict[str, Any]:
    """Run one file that needs the standard library alone.

    Args:
        *parts (str): Its path in the package, e.g. ``'version.py'``.

    Returns:
        dict[str, Any]: The names in it.

    Raises:
        ImportError: If ``siamattn_mm`` is not installed.
    """
    spec = importlib.util.find_spec('siamattn_mm')
    if spec is None or not spec.submodule_search_locations:
        raise ImportError('siamattn_mm is not installed beside siamattn_cli')
    folder = list(spec.submodule_search_locations)[0]
    return runpy.run_path(osp.join(folder, *parts))
