"""The two files of an exported model, and what they say about it."""
import importlib
import json
import os
import os.path as osp
from types import ModuleType
from typing import Any, Dict, List, Mapping, NamedTuple

from siamattn_mm.utils import CheckpointError

SUFFIX = '.onnx'
TEMPLATE_SUFFIX = '.init.onnx'
# Where both files keep what they are, in ONNX's metadata_props.
METADATA_KEY = 'siamattn_mm'
# Of a config's model: what the graphs do not depend on.
_FREE = frozenset([
    # Training.
    'model.train_cfg',
    'init_cfg',
    'pretrained',
    'frozen_modules',
    'frozen_stages',
    'norm_eval',
    'loss_cls',
    'loss_bbox',
    'loss_box',
    'loss_mask',
    'bbox_coder',
    # Tracking: inputs of the graph, or what is done behind it.
    'model.optimize',
    'model.test_cfg.fold_norms',
    'model.test_cfg.precision',
    'model.test_cfg.rpn.penalty_k',
    'model.test_cfg.rpn.window_influence',
    'model.test_cfg.rpn.lr',
    'model.test_cfg.rpn.filter_influence',
    'model.test_cfg.rpn.calibration',
    'model.test_cfg.rpn.hold_score',
    'model.test_cfg.rpn.recover_score',
    'model.correlation_filter.learning_rate',
    'model.correlation_filter.min_score',
    'model.correlation_filter.regularization',
    'model.correlation_filter.sigma',
    'model.box_regressor.regularization',
    'model.box_regressor.samples',
    'model.box_regressor.seed',
    'model.box_regressor.shift',
    'model.box_regressor.zoom',
    'model.rival_association.gate',
    'model.rival_association.max_missing',
    'model.rival_association.min_age',
    'model.rival_association.min_score',
    'model.rival_association.nms_iou',
    'model.rival_association.separation',
    'model.rival_association.target_gate',
    'model.test_cfg.refine.mask_thr',
    'model.test_cfg.refine.min_contour_area',
])


class ExportError(CheckpointError):
    """A model cannot be exported, or an exported one cannot be used."""


class Metadata(NamedTuple):
    """What an exported file says about itself.

    Attributes:
        graph (str): ``'template'`` or ``'track'``.
        version (str): Of this package.
        export_id (str): The same in both files of one export.
        model (dict): The config's model.
    """
    graph: str
    version: str
    export_id: str
    model: Dict[str, Any]

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
            Metadata: See there.

        Raises:
            ExportError: If the file is not one of this package's.
        """
        try:
            return cls(**json.loads(entries[METADATA_KEY]))
        except (KeyError, TypeError, ValueError):
            raise ExportError(f'{path!r} was not written by tools/export.py: '
                              'it does not say what it is') from None


def is_exported(path: str) -> bool:
    """Whether a checkpoint's name is that of an exported model.

    Args:
        path (str): A file name.

    Returns:
        bool: True for ``*.onnx``, in any case (``*.ONNX``).
    """
    return os.fspath(path).lower().endswith(SUFFIX)


def template_path(path: str) -> str:
    """Where the template's graph is, beside the one that tracks.

    Args:
        path (str): ``model.onnx``.

    Returns:
        str: ``model.init.onnx``; if there is none, but one whose suffix is in
        another case, that one.

    Raises:
        ExportError: If it is not the name of the graph that tracks.
    """
    path = os.fspath(path)
    if not is_exported(path) or path.lower().endswith(TEMPLATE_SUFFIX):
        raise ExportError(f'{path!r} is not the name of a track graph: '
                          f'NAME{SUFFIX} holds it, NAME{TEMPLATE_SUFFIX} '
                          'beside it the template\'s')
    stem = path[:-len(SUFFIX)]
    expected = stem + TEMPLATE_SUFFIX
    if not osp.isfile(expected):
        suffix = path[-len(SUFFIX):]
        for other in ('.INIT' + suffix, '.init' + suffix,
                      TEMPLATE_SUFFIX.upper()):
            if osp.isfile(stem + other):
                return stem + other
    return expected


def check_exists(path: str) -> None:
    """Refuse a path without a file.

    Args:
        path (str): Either graph.

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


def differences(expected: Any, found: Any, name: str = 'model') -> List[str]:
    """Where two configs describe other graphs.

    Args:
        expected (Any): From :func:`plain`.
        found (Any): From :func:`plain`.
        name (str): Of the value. Defaults to 'model'.

    Returns:
        list[str]: Names of the values that differ; empty if the graphs of one
        are those of the other, up to the weights.
    """
    if name in _FREE or name.rpartition('.')[2] in _FREE:
        return []
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return [] if expected == found else [name]
    return [
        line for key in sorted({*expected, *found}) for line in differences(
            expected.get(key), found.get(key), f'{name}.{key}')
    ]


def require(package: str) -> ModuleType:
    """Import an optional package.

    Args:
        package (str): Its import name.

    Returns:
        ModuleType: The package.

    Raises:
        ExportError: If it is not installed, saying how it is.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExportError(
            f'exported models need the package {package!r}, which is not '
            'installed: pip install -r requirements/deploy.txt') from error
