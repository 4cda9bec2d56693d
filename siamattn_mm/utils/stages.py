"""Which stage of a frame is running, for whoever wants to know."""
import contextlib
import contextvars
from typing import Any, ContextManager, Iterator

_OBSERVER = contextvars.ContextVar('observer', default=None)
_NOBODY = contextlib.nullcontext()


def stage(name: str) -> ContextManager:
    """Say what runs in a ``with`` block; costs nothing if nobody listens.

    Args:
        name (str): Of the stage. Stages may be nested.

    Returns:
        ContextManager: To run it in.
    """
    observer = _OBSERVER.get()
    return _NOBODY if observer is None else observer.stage(name)


def is_observed() -> bool:
    """bool: Whether anybody listens in this thread."""
    return _OBSERVER.get() is not None


@contextlib.contextmanager
def observed(observer: Any) -> Iterator[None]:
    """Let someone know of the stages of a ``with`` block, in this thread.

    Args:
        observer (Any): With a method ``stage(name)``, which gives a context
            manager for each.
    """
    token = _OBSERVER.set(observer)
    try:
        yield
    finally:
        _OBSERVER.reset(token)
