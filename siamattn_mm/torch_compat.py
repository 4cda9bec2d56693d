"""What PyTorch and numpy do differently from release to release.

The package's one place for it, beside :mod:`.compat`, which does the same for
the OpenMMLab packages. The oldest that are supported are PyTorch 2.0 and
numpy 1.23, those of the official OpenMMLab line; ``tools/_official/api.py``
keeps newer functions out of all other files.
"""
import contextlib
import pickle
import sys
import zipfile
from collections import Counter
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

try:
    from torch.utils.flop_counter import FlopCounterMode
except ImportError:  # before 2.1
    FlopCounterMode = None

# A class or function that a file may name: by its own name, or by that given.
Allowed = Union[Any, Tuple[Any, str]]


def autocast_dtype(device_type: str) -> Optional[torch.dtype]:
    """What autocast computes in.

    Args:
        device_type (str): Such as ``'cpu'``.

    Returns:
        torch.dtype | None: None where autocast is off, or is not known for
        this kind of device.
    """
    if device_type not in ('cpu', 'cuda'):
        return None
    if hasattr(torch, 'get_autocast_dtype'):  # 2.4
        if torch.is_autocast_enabled(device_type):
            return torch.get_autocast_dtype(device_type)
    elif device_type == 'cpu':
        if torch.is_autocast_cpu_enabled():
            return torch.get_autocast_cpu_dtype()
    elif torch.is_autocast_enabled():
        return torch.get_autocast_gpu_dtype()
    return None


def embedding_bag(index: Tensor, weight: Tensor, rows: Tensor) -> Tensor:
    """``F.embedding_bag`` with weights, whatever needs a gradient.

    PyTorch 2.0 fails where the weights need one and the rows do not.

    Args:
        index (Tensor): Rows of each sum, (B, S), integers.
        weight (Tensor): Their weights, (B, S), in the type of ``rows``.
        rows (Tensor): The table, (R, C).

    Returns:
        Tensor: (B, C).
    """
    if (_before(2, 1) and weight.requires_grad and not rows.requires_grad
            and torch.is_grad_enabled()):
        rows = rows.detach().requires_grad_()
    return F.embedding_bag(
        index, rows, mode='sum', per_sample_weights=weight)


def check_can_compile() -> None:
    """Refuse ``test_cfg.compile`` where it would fail later.

    Raises:
        ValueError: If this PyTorch cannot compile a module in place.
    """
    if not hasattr(nn.Module, 'compile'):  # 2.2
        raise ValueError('test_cfg.compile needs PyTorch 2.2 or newer, but '
                         f'this is {torch.__version__}')


def compile_module(module: nn.Module) -> None:
    """``torch.compile`` a module in place, with a graph for each size.

    Args:
        module (nn.Module): Its calls are compiled from then on.
    """
    module.compile(dynamic=False)


def is_compiled(module: nn.Module) -> bool:
    """Whether a module's calls are compiled.

    Args:
        module (nn.Module): Maybe from :func:`compile_module`.

    Returns:
        bool: False for a copy of one that is, which PyTorch does not compile.
    """
    return getattr(module, '_compiled_call_impl', None) is not None


def newest_onnx_opset() -> int:
    """The newest set of ONNX operators that ``torch.onnx`` writes.

    Returns:
        int: 18 in PyTorch 2.0; a large number where PyTorch does not say.
    """
    try:
        from torch.onnx._constants import ONNX_MAX_OPSET
    except ImportError:
        return sys.maxsize
    return ONNX_MAX_OPSET


def load_data(path: str, map_location: Any, allowed: List[Allowed]) -> Any:
    """``torch.load`` of tensors and plain data, which runs no code.

    Args:
        path (str): A file that ``torch.save`` wrote.
        map_location (Any): See ``torch.load``.
        allowed (list): Further classes and functions that may be called, as
            ``torch.serialization.safe_globals`` takes them.

    Returns:
        Any: What is in the file.

    Raises:
        Exception: Many kinds, if it is no such file or names anything else.
    """
    if hasattr(torch.serialization, 'safe_globals'):  # 2.5
        with allow_globals(allowed):
            return torch.load(
                path, map_location=map_location, weights_only=True)
    # Before, `weights_only` cannot be told of more than it knows.
    if _is_program(path):
        raise pickle.UnpicklingError('torch.load would load a program')
    known = dict(_known_globals(), **_by_name(allowed))

    class Unpickler(pickle.Unpickler):
        """Finds what is known by its whole name, and nothing else."""

        def find_class(self, module: str, name: str) -> Any:
            # Protocol 2 has Python 2's names.
            module = {'__builtin__': 'builtins'}.get(module, module)
            try:
                return known[f'{module}.{name}']
            except KeyError:
                raise pickle.UnpicklingError(
                    f'GLOBAL {module}.{name} is not allowed') from None

    def load(file: Any, **kwargs: Any) -> Any:
        return Unpickler(file, **kwargs).load()

    reader = SimpleNamespace(
        __name__='pickle', Unpickler=Unpickler, load=load)
    return torch.load(
        path,
        map_location=map_location,
        pickle_module=reader,
        weights_only=False)


@contextlib.contextmanager
def allow_globals(allowed: List[Allowed]) -> Iterator[None]:
    """Let what others read with ``weights_only`` name more.

    Args:
        allowed (list): As for :func:`load_data`. An older PyTorch knows no
            such list: it refuses what names them.
    """
    safe_globals = getattr(torch.serialization, 'safe_globals', None)
    with safe_globals(allowed) if safe_globals else contextlib.nullcontext():
        yield


def numpy_globals() -> List[Allowed]:
    """What pickled arrays and numbers of numpy name, for :func:`load_data`.

    Returns:
        list: Of numpy 1 and 2, which give the same functions other names.
    """
    try:
        from numpy._core import multiarray
    except ImportError:  # numpy 1
        from numpy.core import multiarray
    allowed: List[Allowed] = [np.ndarray, np.dtype]
    for module in ('numpy._core.multiarray', 'numpy.core.multiarray'):
        allowed.append((multiarray._reconstruct, f'{module}._reconstruct'))
        allowed.append((multiarray.scalar, f'{module}.scalar'))
    # numpy 1.25 gave each type a class of its own.
    types = getattr(np, 'dtypes', None)
    return allowed + [
        getattr(types, name) for name in dir(types) if name.endswith('DType')
    ]


def _is_program(path: str) -> bool:
    """Whether a file is a TorchScript archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.rpartition('/')[2] == 'constants.pkl'
                   for name in archive.namelist())


def _known_globals() -> Mapping[str, Any]:
    """What ``weights_only`` allows by itself, by then and since."""
    from torch._weights_only_unpickler import _get_allowed_globals
    more: Dict[str, Any] = {
        str(value): value
        for value in vars(torch).values() if isinstance(value, torch.dtype)
    }
    more.update({
        'builtins.bytearray': bytearray,
        'builtins.complex': complex,
        'builtins.set': set,
        'collections.Counter': Counter,
        'torch.device': torch.device,
        # Bytes, as pickles of protocol 2 hold them.
        '_codecs.encode': _encode
    })
    return dict(more, **_get_allowed_globals())


def _encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


def _by_name(allowed: List[Allowed]) -> Dict[str, Any]:
    pairs = (item if isinstance(item, tuple) else
             (item, f'{item.__module__}.{item.__qualname__}')
             for item in allowed)
    return {name: item for item, name in pairs}


def _before(major: int, minor: int) -> bool:
    """Whether this PyTorch is older than a release."""
    version = torch.__version__.split('.')
    return (int(version[0]), int(version[1])) < (major, minor)
