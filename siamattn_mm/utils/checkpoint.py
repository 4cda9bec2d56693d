"""Reading checkpoints: safely, and completely or not at all."""
import contextlib
import os
from typing import Any, Dict, Iterator, List, Mapping

import numpy as np
import torch
from torch import Tensor, nn


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


class _IgnoredLog:
    """Takes the place of a training log, of which nothing is kept."""

    def __setstate__(self, state: dict) -> None:
        pass


def _ignored_getattr(owner: Any, name: str) -> None:
    """Takes the place of ``getattr``, with which logs name their methods."""


@contextlib.contextmanager
def _mmengine_globals() -> Iterator[None]:
    """Let ``weights_only`` skip the logs in mmengine's checkpoints."""
    safe_globals = getattr(torch.serialization, 'safe_globals', None)
    if safe_globals is None:
        yield
        return
    allowed: List[Any] = [
        np.ndarray, np.dtype, (_ignored_getattr, 'builtins.getattr'),
        (_IgnoredLog, 'mmengine.logging.history_buffer.HistoryBuffer')
    ]
    try:
        from numpy._core import multiarray
    except ImportError:  # numpy 1
        from numpy.core import multiarray
    # numpy 1 and 2 pickle the same functions under different names.
    for module in ('numpy._core.multiarray', 'numpy.core.multiarray'):
        allowed.append((multiarray._reconstruct, f'{module}._reconstruct'))
        allowed.append((multiarray.scalar, f'{module}.scalar'))
    allowed += [
        getattr(np.dtypes, name) for name in dir(getattr(np, 'dtypes', None))
        if name.endswith('DType')
    ]
    with safe_globals(allowed):
        yield


def load_weights(path: str) -> Dict[str, Any]:
    """Read a checkpoint file without running any code in it.

    Args:
        path (str): A file that ``torch.save`` wrote.

    Returns:
        dict: Its content, on the CPU; the logs of mmengine's runner are left
        out.

    Raises:
        CheckpointError: If there is no such file, or it is not a checkpoint,
            or it holds more than tensors and plain data.
    """
    if not os.path.isfile(path):
        raise CheckpointError(f'checkpoint {path!r} does not exist')
    try:
        with _mmengine_globals():
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # torch raises many kinds
        reason = str(error).strip().splitlines()
        raise CheckpointError(
            f'{path!r} cannot be read as a checkpoint of tensors '
            f'({type(error).__name__}: {reason[0] if reason else ""})'
        ) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f'{path!r} holds a {type(content).__name__}, '
                              'but a checkpoint is a dict')
    return dict(content)


def load_state_dict(path: str) -> Dict[str, Tensor]:
    """Read the weights of a checkpoint file.

    Args:
        path (str): A file that ``torch.save`` wrote: a state dict, or a dict
            with one under ``state_dict``; a ``module.`` in front of all names
            is taken off.

    Returns:
        dict[str, Tensor]: Weights by name, on the CPU.

    Raises:
        CheckpointError: As :func:`load_weights`, or if there are no tensors.
    """
    content = load_weights(path)
    state_dict = content.get('state_dict', content)
    if not isinstance(state_dict, Mapping):
        raise CheckpointError(f'{path!r} holds a {type(state_dict).__name__} '
                              'under state_dict, but that is a dict of '
                              'tensors')
    weights = {
        name: value
        for name, value in state_dict.items() if isinstance(value, Tensor)
    }
    if not weights:
        raise CheckpointError(f'{path!r} holds no weights')
    if all(name.startswith('module.') for name in weights):
        weights = {name[len('module.'):]: v for name, v in weights.items()}
    return weights


def state_dict_problems(expected: Mapping[str, Tensor],
                        found: Mapping[str, Tensor]) -> List[str]:
    """Say everything that keeps weights from fitting a model.

    Args:
        expected (Mapping[str, Tensor]): The model's own state dict.
        found (Mapping[str, Tensor]): The weights.

    Returns:
        list[str]: One line per name that is missing, has no place or has
        another shape. Empty if all fit.
    """
    problems = []
    for name, value in found.items():
        if name not in expected:
            problems.append(f'no place for: {name} {tuple(value.shape)}')
        elif value.shape != expected[name].shape:
            problems.append(f'shape of {name}: {tuple(value.shape)}, but the '
                            f'model has {tuple(expected[name].shape)}')
    problems += [
        f'missing: {name} {tuple(expected[name].shape)}' for name in expected
        if name not in found and not name.endswith('num_batches_tracked')
    ]
    return problems


def check_fit(model: nn.Module, weights: Mapping[str, Tensor],
              path: str) -> None:
    """Refuse weights that do not fit a model.

    Args:
        model (nn.Module): To be loaded.
        weights (Mapping[str, Tensor]): By name.
        path (str): The file that they are from, for the message.

    Raises:
        CheckpointError: Naming what is missing, has no place or has another
            shape: all of them at once.
    """
    problems = state_dict_problems(model.state_dict(), weights)
    if problems:
        raise CheckpointError(
            f'{path!r} does not fit this model; was it made with another '
            f'config? {len(problems)} names differ:\n  ' +
            '\n  '.join(problems))


def load_into(model: nn.Module, path: str) -> None:
    """Load a checkpoint into a model, completely or not at all.

    Args:
        model (nn.Module): Takes the weights; half-precision ones are widened
            to the model's own type.
        path (str): Checkpoint file.

    Raises:
        CheckpointError: If it cannot be read or does not fit.
    """
    weights = load_state_dict(path)
    check_fit(model, weights, path)
    model.load_state_dict(weights, strict=False)
