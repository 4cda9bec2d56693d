"""Reading checkpoints: safely, and completely or not at all."""
import os
import re
from typing import Any, Dict, List, Mapping, Union

import torch
from torch import Tensor, nn

from siamattn_mm.torch_compat import load_data, numpy_globals

from .downloads import is_fetched, local_file, without_password
from .file_kinds import describe_kind, pickled_names

StrPath = Union[str, os.PathLike]

# Where other code bases keep their weights in a checkpoint.
_WEIGHT_KEYS = ('state_dict', 'model', 'net')


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


class _IgnoredLog:
    """Takes the place of a training log, of which nothing is kept."""

    def __setstate__(self, state: dict) -> None:
        pass


def _ignored_getattr(owner: Any, name: str) -> None:
    """Takes the place of ``getattr``, with which logs name their methods."""


def mmengine_globals(log: type) -> List[Any]:
    """What else is read: the logs in mmengine's checkpoints.

    Args:
        log (type): What they become.

    Returns:
        list: For :mod:`siamattn_mm.torch_compat`.
    """
    return numpy_globals() + [
        (_ignored_getattr, 'builtins.getattr'),
        (log, 'mmengine.logging.history_buffer.HistoryBuffer')
    ]


def load_weights(path: StrPath,
                 map_location: Any = 'cpu',
                 log: type = _IgnoredLog) -> Dict[str, Any]:
    """Read a checkpoint file without running any code in it.

    Args:
        path (StrPath): A file that ``torch.save`` wrote, or its address
            (``http://``, ``https://``, ``file://``).
        map_location (Any): See ``torch.load``. Defaults to 'cpu'.
        log (type): What the logs of mmengine's runner become. Defaults to
            one that keeps nothing.

    Returns:
        dict: Its content.

    Raises:
        CheckpointError: If there is no such file, or it is not a checkpoint,
            or it holds more than tensors and plain data.
    """
    path = os.fspath(path)
    try:
        file = local_file(path)
    except OSError as error:
        raise CheckpointError(f'checkpoint {error}') from None
    shown = without_password(path)
    if not os.path.isfile(file):
        raise CheckpointError(f'checkpoint {shown!r} does not exist')
    try:
        content = load_data(file, map_location, mmengine_globals(log))
    except Exception as error:  # torch raises many kinds
        # Not `from error`: a traceback would show what torch says.
        reason = _why_unreadable(file, error)
        if is_fetched(path):
            os.remove(file)  # the server may have a better one next time
        raise CheckpointError(f'{shown!r} {reason}') from None
    if not isinstance(content, Mapping):
        raise CheckpointError(f'{path!r} holds a {type(content).__name__}, '
                              'but a checkpoint is a dict')
    return dict(content)


def _why_unreadable(path: str, error: Exception) -> str:
    """Why a file is not read, in our words, to follow its name.

    torch's own tell how to switch its protection off, some in bold type.
    """
    if isinstance(error, OSError):
        return f'cannot be read ({error.strerror or error})'
    kind = describe_kind(path)
    if kind is not None:
        return f'is not a checkpoint, but {kind}'
    found = re.search(r'GLOBAL ([\w.]+)', str(error))
    names = [found[1]] if found else pickled_names(path)[:1]
    if names:
        return (f'holds more than tensors ({_printable(names[0])}): not '
                'loaded; a checkpoint holds a state_dict() and plain data')
    reason = str(error).strip().split('\n')[0].split('. ')[0]
    if not reason or 'weights_only' in reason or 'only load' in reason:
        reason = type(error).__name__
    return ('is not a checkpoint of tensors, or it is damaged '
            f'({_printable(reason)})')


def _printable(text: str) -> str:
    """Without what a terminal would take for a command."""
    return ''.join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def load_state_dict(path: StrPath) -> Dict[str, Tensor]:
    """Read the weights of a checkpoint file.

    Args:
        path (StrPath): A file that ``torch.save`` wrote, or its address: a
            state dict, or a dict with one under ``state_dict``, ``model`` or
            ``net``; a ``module.`` in front of all names is taken off.

    Returns:
        dict[str, Tensor]: Weights by name, on the CPU.

    Raises:
        CheckpointError: As :func:`load_weights`, or if there are no tensors,
            or NaN or infinite numbers in them.
    """
    path = os.fspath(path)
    content, shown = load_weights(path), without_password(path)
    weights = find_weights(content, shown)
    check_finite(weights, shown)
    if all(name.startswith('module.') for name in weights):
        weights = {name[len('module.'):]: v for name, v in weights.items()}
    return weights


def find_weights(content: Mapping[str, Any], path: str) -> Dict[str, Tensor]:
    """The weights among what a checkpoint holds.

    Args:
        content (Mapping[str, Any]): Of a checkpoint: a state dict, or a dict
            with one under ``state_dict``, ``model`` or ``net``.
        path (str): The file that it is from, for the message.

    Returns:
        dict[str, Tensor]: Weights by their names there; at least one.

    Raises:
        CheckpointError: If there are none, naming the keys that are there.
    """
    if not isinstance(content.get('state_dict', {}), Mapping):
        raise CheckpointError(
            f'{path!r} holds a {type(content["state_dict"]).__name__} under '
            'state_dict, but that is a dict of tensors')
    places = [content] + [content.get(key) for key in _WEIGHT_KEYS]
    if 'state_dict' in content:
        places = places[1:]
    for place in places:
        weights = {
            name: value
            for name, value in place.items()
            if isinstance(name, str) and isinstance(value, Tensor)
        } if isinstance(place, Mapping) else {}
        if weights:
            return weights
    keys = ', '.join(repr(key) for key in list(content)[:10])
    raise CheckpointError(
        f'{path!r} holds no weights: its keys are {keys or "none"}, but '
        f'weights are under {", ".join(_WEIGHT_KEYS)} or under no key')


def check_finite(weights: Mapping[str, Any], path: str) -> None:
    """Refuse weights with which nothing can be computed.

    A training that diverged leaves them; a tracker with one of them gives
    boxes and scores, and all are wrong.

    Args:
        weights (Mapping[str, Any]): By name; what is no tensor counts not.
        path (str): The file that they are from, for the message.

    Raises:
        CheckpointError: Naming the first that is NaN or infinite, and how
            many there are.
    """
    wrong = []
    for name, value in weights.items():
        if not isinstance(value, Tensor) or not (value.is_floating_point()
                                                 or value.is_complex()):
            continue
        # As models compute: a larger number becomes infinite there.
        value = torch.view_as_real(value) if value.is_complex() else value
        if not torch.isfinite(value.detach().float()).all():
            wrong.append(name)
    if wrong:
        more = f', and {len(wrong) - 1} more weights' * (len(wrong) > 1)
        raise CheckpointError(
            f'{path!r} holds NaN or infinite numbers in {wrong[0]}{more}: '
            'did the training diverge?')


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

    Those of parts that the config leaves out are passed over, where the model
    names such parts (``parts_left_out``).

    Args:
        model (nn.Module): To be loaded.
        weights (Mapping[str, Tensor]): By name.
        path (str): The file that they are from, for the message.

    Raises:
        CheckpointError: Naming what is missing, has no place or has another
            shape: all of them at once.
    """
    left_out = getattr(model, 'parts_left_out', ())
    problems = state_dict_problems(
        model.state_dict(), {
            name: value
            for name, value in weights.items()
            if not name.startswith(left_out)
        })
    if problems:
        raise CheckpointError(
            f'{path!r} does not fit this model; was it made with another '
            f'config? {len(problems)} names differ:\n  ' +
            '\n  '.join(problems))


def load_into(model: nn.Module, path: StrPath) -> None:
    """Load a checkpoint into a model, completely or not at all.

    Args:
        model (nn.Module): Takes the weights; half-precision ones are widened
            to the model's own type.
        path (StrPath): Checkpoint file.

    Raises:
        CheckpointError: If it cannot be read, does not fit, or holds NaN or
            infinite numbers.
    """
    path = os.fspath(path)
    weights = load_state_dict(path)
    check_fit(model, weights, without_password(path))
    model.load_state_dict(weights, strict=False)
