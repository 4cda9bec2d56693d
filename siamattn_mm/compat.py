"""Make mmtrack 1.0.0rc1 importable on current OpenMMLab versions.

mmtrack is the last release of its line and refuses every mmcv and mmdet that
came after it; mmcls, which it imports, refuses them too. Nothing that single
object tracking needs has changed since, so the gates are shown versions that
they accept, while they are imported and only then.

This is the only file of the package that knows about versions. On the
official line (mmcv 2.0.0rc4, mmdet 3.0.0rc5) it changes nothing at all.
"""
import contextlib
import importlib
import importlib.util
import io
import re
import sys
import warnings
from typing import Iterator, Tuple

# Inside the ranges that the gates of both mmtrack 1.0.0rc1 and mmcls 1.0.0rc6
# accept, and valid for every release of the official line.
_ACCEPTED = dict(mmcv='2.0.0rc4', mmdet='3.0.0rc6')
# First release that a gate refuses (mmtrack's are the stricter ones).
_REFUSED_FROM = dict(mmcv=(2, 0, 0), mmdet=(3, 0, 0))

# Every package of mmtrack that registers something.
_MMTRACK_MODULES = ('mmcls', 'mmtrack', 'mmtrack.models', 'mmtrack.datasets',
                    'mmtrack.engine', 'mmtrack.evaluation',
                    'mmtrack.visualization')

_REQUIRED = ('torch', 'mmengine', 'mmcv', 'mmdet', 'mmtrack')


def is_refused(package: str, version: str) -> bool:
    """Whether mmtrack's gates refuse this release.

    Args:
        package (str): ``'mmcv'`` or ``'mmdet'``.
        version (str): Its version, e.g. ``'2.3.6'``.

    Returns:
        bool: True from the first final release on; release candidates of that
        release (``2.0.0rc4``) are accepted.
    """
    match = re.match(r'(\d+)\.(\d+)\.(\d+)(?:(?:rc|a|b)\d+)?', version)
    if match is None:
        return True
    release = tuple(int(part) for part in match.groups())
    limit = _REFUSED_FROM[package]
    is_candidate = re.search(r'(rc|a|b)\d+', version) is not None
    return release > limit or (release == limit and not is_candidate)


@contextlib.contextmanager
def _accepted_versions() -> Iterator[None]:
    """Show mmtrack's and mmcls's gates versions that they accept."""
    # Both are imported before either is changed: mmdet has a gate of its own.
    packages = {name: importlib.import_module(name) for name in _ACCEPTED}
    changed = []
    for name, package in packages.items():
        if is_refused(name, package.__version__):
            changed.append((package, package.__version__))
            package.__version__ = _ACCEPTED[name]
    try:
        yield
    finally:
        for package, version in changed:
            package.__version__ = version


@contextlib.contextmanager
def _mmdet_transformer() -> Iterator[None]:
    """Offer ``mmdet.models.layers.Transformer``, gone since mmdet 3.0.0.

    Only mmtrack's STARK derives from it, so a name that can be derived from
    is enough for the import.
    """
    layers = importlib.import_module('mmdet.models.layers')
    if hasattr(layers, 'Transformer'):
        yield
        return
    from mmengine.model import BaseModule

    class Transformer(BaseModule):
        """Stands in for the class that mmdet 3.0.0 removed."""

        def __init__(self, *args, **kwargs) -> None:
            raise ImportError(
                'mmtrack\'s STARK needs mmdet.models.layers.Transformer, '
                'which mmdet 3.0.0 removed: use mmdet 3.0.0rc5 or older')

    layers.Transformer = Transformer
    try:
        yield
    finally:
        del layers.Transformer


@contextlib.contextmanager
def _without_vot() -> Iterator[None]:
    """Let mmtrack find no vot-toolkit.

    Its VOT evaluation uses names that vot-toolkit 0.6 dropped, and fails in
    the middle; without the toolkit it says so at once. Ours does not need
    the toolkit, whose import would take a second of every start.
    """
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.split('.')[0] == 'vot'
    }
    for name in hidden:
        del sys.modules[name]
    sys.modules['vot'] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules['vot']
        sys.modules.update(hidden)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what mmdet's optional parts print when they are absent."""
    with warnings.catch_warnings(), \
            contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter('ignore')
        yield


def check_requirements(names: Tuple[str, ...] = _REQUIRED) -> None:
    """Say which package is missing, before a traceback does.

    Raises:
        ImportError: Naming every package that is not installed.
    """
    missing = [
        name for name in names
        if name not in sys.modules and importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ImportError(
            f'siamattn_mm needs {", ".join(missing)}, which {"is" if len(missing) == 1 else "are"} '  # noqa: E501
            'not installed. `bash tools/setup.sh` in a checkout installs '
            'everything; pip alone cannot, since mmtrack pins versions that '
            'no longer exist together.')


def import_mmtrack() -> None:
    """Import all of mmtrack that registers components.

    Calling it again does nothing. mmcv's and mmdet's versions are what they
    were when it returns.

    Raises:
        ImportError: If a required package is missing.
    """
    if 'mmtrack.visualization' in sys.modules:
        return
    check_requirements()
    with _quiet(), _accepted_versions(), _mmdet_transformer(), _without_vot():
        for module in _MMTRACK_MODULES:
            importlib.import_module(module)


def work_on_cpu() -> None:
    """Let mmengine's runners work on the CPU, although there is a GPU.

    mmengine takes what PyTorch sees when it is imported, also a GPU that
    PyTorch has no kernels for, and has no setting for it.
    """
    from mmengine.device import utils
    utils.DEVICE = 'cpu'
