"""Let mmengine read checkpoints as :mod:`.checkpoint` does."""
import os
from typing import Any, Mapping

from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from . import checkpoint as checkpoints


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
        filename (str): The file.
        map_location (Any): See ``torch.load``. Defaults to None.

    Returns:
        dict: All that is in it, the logs of mmengine's runner included.

    Raises:
        CheckpointError: As :func:`siamattn_mm.utils.load_weights` and
            :func:`prepare_checkpoint`.
    """
    path = os.path.expanduser(filename)
    content = checkpoints.load_weights(path, map_location, _Log)
    return prepare_checkpoint(content, path)


def read_checkpoints_safely() -> None:
    """Let mmengine's ``load_from``, ``resume`` and ``Pretrained`` do so.

    For whole programs, such as this package's tools: it concerns every
    checkpoint that the process reads from then on.
    """
    CheckpointLoader.register_scheme('', read_local, force=True)
