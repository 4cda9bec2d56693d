"""Let mmengine read checkpoints as :mod:`.checkpoint` does."""
import contextlib
import functools
import os
from pickle import UnpicklingError
from typing import Any, Callable, Iterator, Mapping

from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mmengines
from mmengine.runner.checkpoint import CheckpointLoader

from siamattn_mm.torch_compat import allow_globals

from . import checkpoint as checkpoints
from .downloads import without_password


class _Log(HistoryBuffer):
    """A log that is being read: numbers of the file, methods of mmengine."""

    def __setstate__(self, state: dict) -> None:
        super().__setstate__({
            name: value
            for name, value in state.items() if name != 'statistics_methods'
        })
        # The next checkpoint shall name mmengine's class, not this one.
        self.__class__ = HistoryBuffer


def prepare_checkpoint(content: Any, path: str) -> dict:
    """Check what a checkpoint holds, and put its weights where mmengine looks.

    Args:
        content (Any): Of a checkpoint.
        path (str): The file that it is from, for the messages.

    Returns:
        dict: The same, but with weights that are under ``model`` or ``net``
        under ``state_dict`` too.

    Raises:
        CheckpointError: If there are no weights, or NaN or infinite numbers
            in them.
    """
    if not isinstance(content, Mapping):
        raise checkpoints.CheckpointError(
            f'{path!r} holds a {type(content).__name__}, but a checkpoint is '
            'a dict')
    weights = checkpoints.find_weights(content, path)
    checkpoints.check_finite(weights, path)
    # Averaged weights, which mmengine's EMAHook puts in their place.
    checkpoints.check_finite(content.get('ema_state_dict') or {}, path)
    if 'state_dict' in content or next(iter(weights)) in content:
        return content
    return dict(content, state_dict=weights)


def read_local(filename: str, map_location: Any = None) -> dict:
    """Read a file for mmengine: without running code, or not at all.

    mmengine's own falls back to running the code in a file that holds any.

    Args:
        filename (str): The file, or its address (``http://``, ``https://``,
            ``file://``).
        map_location (Any): See ``torch.load``. Defaults to None.

    Returns:
        dict: All that is in it, the logs of mmengine's runner included.

    Raises:
        CheckpointError: As :func:`siamattn_mm.utils.load_weights` and
            :func:`prepare_checkpoint`.
    """
    path = os.path.expanduser(filename)
    content = checkpoints.load_weights(path, map_location, _Log)
    return prepare_checkpoint(content, without_password(path))


# Of mmengine: names that it looks up, and servers that need its clients.
_OTHERS = (
    (('modelzoo://', 'torchvision://'), mmengines.load_from_torchvision),
    (('open-mmlab://', 'openmmlab://'), mmengines.load_from_openmmlab),
    ('mmcls://', mmengines.load_from_mmcls),
    ('pavi://', mmengines.load_from_pavi),
    ((r'(\S+\:)?s3://', r'(\S+\:)?petrel://'), mmengines.load_from_ceph),
)


@contextlib.contextmanager
def _weights_only() -> Iterator[None]:
    """Whatever others tell ``torch.load``."""
    names = ('TORCH_FORCE_WEIGHTS_ONLY_LOAD',
             'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[names[0]] = '1'
    try:
        with allow_globals(checkpoints.mmengine_globals(_Log)):
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _without_code(read: Callable) -> Callable:
    """One of mmengine's readers, which would run the code in a file."""

    @functools.wraps(read)
    def reader(filename: str, map_location: Any = None) -> dict:
        try:
            with _weights_only():
                content = read(filename, map_location)
        except UnpicklingError:
            # Not `from error`: a traceback would show what torch says.
            raise checkpoints.CheckpointError(
                f'{filename!r} is not a checkpoint, or it holds more than '
                'tensors: not loaded') from None
        return prepare_checkpoint(content, filename)

    return reader


def read_checkpoints_safely() -> None:
    """Let mmengine's ``load_from``, ``resume`` and ``Pretrained`` do so.

    For whole programs, such as this package's tools: it concerns every
    checkpoint that the process reads from then on.
    """
    for prefix in ('', 'http://', 'https://'):
        CheckpointLoader.register_scheme(prefix, read_local, force=True)
    for prefixes, read in _OTHERS:
        CheckpointLoader.register_scheme(
            prefixes, _without_code(read), force=True)
