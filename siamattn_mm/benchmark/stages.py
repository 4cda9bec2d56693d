"""What each stage of a frame takes, of time or of anything that adds up."""
import contextlib
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

from siamattn_mm.utils.stages import observed

from .clocks import Clock
from .patches import Patches

REST = 'rest'
# In the order of a frame; see siamattn_mm.utils.stages. What a model does not
# have is left out.
STAGES = ('crop', 'network', 'backbone', 'neck', 'DSA', 'RPN', 'filter',
          'box regression', 'post-processing', 'fusion', 'refinement box',
          'mask', 'paste', REST)


class Hook(NamedTuple):
    """A method that belongs to a stage.

    Attributes:
        stage (str): The stage.
        path (str): Attributes from the model to the method.
    """
    stage: str
    path: str


class StageRecorder:
    """Adds up what runs in each stage, apart from stages inside of it.

    Those of tracking say so themselves; other methods can be hooked, and are
    taken back at the end of its ``with`` block.

    Args:
        clock (Clock, optional): Of the device, or of any other reading that
            grows while something runs. Defaults to None: the host's clock.
    """

    def __init__(self, clock: Optional[Clock] = None) -> None:
        self._clock = clock or Clock()
        self._stack: List[str] = []
        self._last: Any = None
        self._spans: List[Tuple[str, Any, Any]] = []
        self._patches = Patches()

    def call(self, stage: str, function: Callable, *args, **kwargs) -> Any:
        """Call a function as part of a stage.

        Args:
            stage (str): The stage.
            function (Callable): What to call.
            *args: Its arguments.
            **kwargs: Its arguments.

        Returns:
            Any: What it returns.
        """
        with self.stage(stage):
            return function(*args, **kwargs)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count a block as a stage.

        Args:
            name (str): The stage.
        """
        self._advance()
        self._stack.append(name)
        try:
            yield
        finally:
            self._advance()
            self._stack.pop()

    def take(self) -> Dict[str, float]:
        """What was added up since the last time; a GPU is waited for.

        Returns:
            dict[str, float]: By stage, without those that did not run.
        """
        self._clock.wait()
        spans, self._spans = self._spans, []
        totals: Dict[str, float] = {}
        for stage, begin, end in spans:
            totals[stage] = (
                totals.get(stage, 0.) + self._clock.between(begin, end))
        return totals

    def _advance(self) -> None:
        """Count what passed for the innermost stage."""
        now = self._clock.mark()
        if self._stack:
            self._spans.append((self._stack[-1], self._last, now))
        self._last = now

    def hook(self, owner: Any, name: str, stage: str) -> None:
        """Replace a method by one that counts, until the end of the block.

        Args:
            owner (Any): Object, class or module.
            name (str): The method's name.
            stage (str): The stage.
        """
        function = getattr(owner, name)

        def counted(*args, **kwargs):
            return self.call(stage, function, *args, **kwargs)

        self._patches.replace(owner, name, counted)

    def hook_all(self, owner: Any, hooks: Iterable[Hook]) -> None:
        """Hook methods, as far as they are there.

        Args:
            owner (Any): Where the hooks' paths begin.
            hooks (Iterable[Hook]): What to hook.
        """
        for stage, path in hooks:
            *parents, name = path.split('.')
            found = owner
            for parent in parents:
                found = getattr(found, parent, None)
            if callable(getattr(found, name, None)):
                self.hook(found, name, stage)

    def __enter__(self) -> 'StageRecorder':
        return self

    def __exit__(self, *exception: object) -> None:
        self._patches.restore()


def track_by_stages(tracker: Any, frames: List, recorder: StageRecorder
                    ) -> Iterator[Dict[str, float]]:
    """Track on in frames, one stage count a frame.

    Args:
        tracker (Tracker): Initialised.
        frames (list[np.ndarray]): The next frames.
        recorder (StageRecorder): Hears of them.

    Yields:
        dict[str, float]: Of each frame; ``REST`` is what no stage has.
    """
    recorder.take()
    for frame in frames:
        with observed(recorder):
            recorder.call(REST, tracker.update, frame)
        yield recorder.take()
