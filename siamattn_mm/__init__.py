"""SiamAttn (CVPR 2020) as registered OpenMMLab components.

Importing this package registers all of them in mmtrack's registries:
``custom_imports = dict(imports=['siamattn_mm'])`` is all a config needs.
"""
from . import compat
from .version import __version__

# Must come before anything that imports mmtrack.
compat.import_mmtrack()

from . import (  # noqa: E402,F401
    datasets,
    deploy,
    engine,
    evaluation,
    models,
)

__all__ = ['__version__']
