"""What each stage of a frame takes, of time or of anything that adds up."""
import sys
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

from siamattn_mm.models.trackers.mask_paste import PastedMask

from .clocks import Clock
from .patches import Patches

REST = 'rest'


class Hook(NamedTuple):
    """A method that belongs to a stage.

    Attributes:
        stage (str): The stage.
        path (str): Attributes from the model to the method.
    """
    stage: str
    path: str


# In the order of a frame. What a model does not have is left out.
HOOKS = (
    Hook('crop', '_crop'),
    Hook('backbone', 'backbone.forward'),
    Hook('neck', 'neck.forward'),
    Hook('DSA', 'siamese_neck.forward'),
    Hook('RPN', 'head.forward'),
    Hook('filter', 'correlation_filter.spectrum'),
    Hook('filter', 'correlation_filter.respond'),
    Hook('filter', 'correlation_filter.update'),
    Hook('box regression', 'box_regressor.maps'),
    Hook('box regression', '_regress_box'),
    Hook('post-processing', 'head.select_proposal'),
    Hook('post-processing', 'rival_association.recognise'),
    Hook('fusion', 'refine_head.forward'),
    Hook('fusion', 'refine_head.fuse_mask'),
    Hook('refinement box', '_refine_box'),
    Hook('refinement box', 'refine_head.predict_box'),
    Hook('mask', 'refine_head.predict_mask'),
    Hook('paste', '_segment'),
)
# Functions that the model's module calls by these names.
FUNCTION_HOOKS = (('paste', 'rotated_box'), )
STAGES = tuple(dict.fromkeys(hook.stage for hook in HOOKS)) + (REST, )


class StageRecorder:
    """Adds up what runs in each stage, apart from stages inside of it.

    Hooks are taken out at the end of its ``with`` block.

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
        self._advance()
        self._stack.append(stage)
        try:
            return function(*args, **kwargs)
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

    def install(self, model: Any) -> None:
        """Hook a model's stages, as far as it has them.

        Args:
            model (Any): A :class:`~siamattn_mm.models.trackers.SiamAttn`, or
                another runtime's stand-in.
        """
        self.hook_all(model, HOOKS)
        module = sys.modules[type(model).__module__]
        for stage, name in FUNCTION_HOOKS:
            if hasattr(module, name):
                self.hook(module, name, stage)
        self.hook(PastedMask, 'full', 'paste')

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
        recorder (StageRecorder): Installed in its model.

    Yields:
        dict[str, float]: Of each frame; ``REST`` is what no stage has.
    """
    recorder.take()
    for frame in frames:
        recorder.call(REST, tracker.update, frame)
        yield recorder.take()
