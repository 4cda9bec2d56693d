"""The files of an exported model, and what they say about it."""
import importlib
import json
import os
import os.path as osp
from types import ModuleType
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from siamattn_mm.models.task_modules import OnlinePart
from siamattn_mm.models.trackers import TrackingConfig
from siamattn_mm.utils import CheckpointError

SUFFIX = '.onnx'
# Kinds of graphs, and what their files end in.
SUFFIXES = {
    'search': SUFFIX,
    'template': '.init.onnx',
    'box': '.box.onnx',
    'mask': '.mask.onnx'
}
# What a file may hold has changed since: 1 had the whole frame in one graph,
# 2 had the channels of maps between graphs before rows and columns.
FORMAT = 3
# Where all files keep what they are, in ONNX's metadata_props.
METADATA_KEY = 'siamattn_mm'
# Of a config's model: what the graphs do not depend on, at any depth.
_FREE = frozenset([
    'train_cfg', 'init_cfg', 'pretrained', 'frozen_modules',
    'frozen_stages', 'norm_eval', 'loss_cls', 'loss_bbox', 'loss_box',
    'loss_iou', 'loss_mask', 'loss_teacher', 'bbox_coder', 'optimize'
])


class ExportError(CheckpointError):
    """A model cannot be exported, or an exported one cannot be used."""


class Metadata(NamedTuple):
    """What an exported file says about itself.

    Attributes:
        graph (str): A key of ``SUFFIXES``.
        kinds (tuple[str]): All graphs of the export.
        version (str): Of this package.
        export_id (str): The same in all files of one export.
        model (dict): From :func:`describe`.
        format (int): ``FORMAT``.
    """
    graph: str
    kinds: Tuple[str, ...]
    version: str
    export_id: str
    model: Dict[str, Any]
    format: int = FORMAT

    def dump(self) -> str:
        """As text.

        Returns:
            str: JSON, for :meth:`parse`.
        """
        return json.dumps(self._asdict(), sort_keys=True)

    @classmethod
    def parse(cls, entries: Mapping[str, str], path: str) -> 'Metadata':
        """Read a file's metadata.

        Args:
            entries (Mapping[str, str]): All that the file has.
            path (str): For the message.

        Returns:
            Metadata: What it says.

        Raises:
            ExportError: If the file is not one of this package's, or of an
                older version.
        """
        try:
            found = json.loads(entries[METADATA_KEY])
            version = found.get('format', 1)
            if version != FORMAT:
                raise ExportError(
                    f'{path!r} was written by version {found["version"]}, '
                    f'whose graphs are of format {version}, but {FORMAT} is '
                    'wanted: export anew with siamattn export')
            found['kinds'] = tuple(found['kinds'])
            return cls(**found)
        except (AttributeError, KeyError, TypeError, json.JSONDecodeError):
            raise ExportError(f'{path!r} was not written by siamattn export: '
                              'it does not say what it is') from None


def is_exported(path: str) -> bool:
    """Whether a checkpoint's name is that of an exported model.

    Args:
        path (str): A file name.

    Returns:
        bool: True for ``*.onnx``, in any case (``*.ONNX``).
    """
    return os.fspath(path).lower().endswith(SUFFIX)


def graph_path(path: str, kind: str) -> str:
    """Where a graph is, beside the search graph.

    Args:
        path (str): ``model.onnx``.
        kind (str): A key of ``SUFFIXES``.

    Returns:
        str: Such as ``model.init.onnx``; if there is none, but one whose
        suffix is in another case, that one.

    Raises:
        ExportError: If ``path`` is not the name of a search graph.
    """
    path = os.fspath(path)
    others = [SUFFIXES[k] for k in SUFFIXES if k != 'search']
    if not is_exported(path) or path.lower().endswith(tuple(others)):
        raise ExportError(f'{path!r} is not the name of a search graph: '
                          f'NAME{SUFFIX} holds it, NAME{others[0]} beside it '
                          'the template\'s')
    if kind == 'search':
        return path
    folder, name = osp.split(path)
    expected = name[:-len(SUFFIX)] + SUFFIXES[kind]
    stem, found = name[:-len(SUFFIX)], osp.join(folder, expected)
    if not osp.isfile(found) and osp.isdir(folder or '.'):
        for other in os.listdir(folder or '.'):
            if other.startswith(stem) and other.lower() == expected.lower():
                return osp.join(folder, other)
    return found


def check_exists(path: str) -> None:
    """Refuse a path without a file.

    Args:
        path (str): Any graph.

    Raises:
        ExportError: If there is none.
    """
    if not osp.isfile(path):
        raise ExportError(f'exported model {path!r} does not exist')


def plain(value: Any) -> Any:
    """Config values as JSON gives them back: lists for tuples.

    Args:
        value (Any): Of mappings, sequences and plain values.

    Returns:
        Any: Of dicts, lists and plain values.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def describe(model: Mapping[str, Any], cfg: TrackingConfig,
             parts: Sequence[OnlinePart]) -> Dict[str, Any]:
    """All of a model's config that its graphs depend on.

    Args:
        model (Mapping): The config's.
        cfg (TrackingConfig): Its ``test_cfg``.
        parts (Sequence[OnlinePart]): Built from its ``online``.

    Returns:
        dict: Of plain values. ``online`` has the parts that take something
        from the network.
    """
    found = _without_free(plain(model))
    found.pop('type', None)  # of the tracker itself
    found['test_cfg'] = dict(
        exemplar_size=cfg.exemplar_size,
        search_size=cfg.search_size,
        center_size=cfg.center_size,
        refine=dict(box=cfg.refine.box))
    found['online'] = {
        part.name: plain({key: getattr(part, key)
                          for key in part.network_args})
        for part in parts if type(part).features is not OnlinePart.features
    }
    return found


def _without_free(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _without_free(item)
        for key, item in value.items() if key not in _FREE
    }


def differences(expected: Any, found: Any, name: str = 'model') -> List[str]:
    """Where two configs describe other graphs.

    Args:
        expected (Any): From :func:`describe`, of the files.
        found (Any): From :func:`describe`.
        name (str): Of the value. Defaults to 'model'.

    Returns:
        list[str]: Names of the values that differ; empty if the graphs of one
        do for the other, up to the weights.
    """
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return [] if expected == found else [name]
    keys = {*expected, *found}
    if name == 'model.online':
        keys = set(found)  # more than is asked for does no harm
    return [
        line for key in sorted(keys) for line in differences(
            expected.get(key), found.get(key), f'{name}.{key}')
    ]


def require(package: str) -> ModuleType:
    """Import an optional package.

    Args:
        package (str): Its import name.

    Returns:
        ModuleType: The package.

    Raises:
        ExportError: If it is not installed, saying how to.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExportError(
            f'the package {package!r} is needed, but not installed: pip '
            'install -r requirements/deploy.txt') from error
