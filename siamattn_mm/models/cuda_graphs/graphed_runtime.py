"""A model in PyTorch whose launches on a GPU are recorded."""
import collections
import contextlib
import threading
import warnings
import weakref
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterator,
    Sequence,
    Tuple,
)

from torch import Tensor

from siamattn_mm.utils.messages import first_line
from siamattn_mm.utils.nested_tensors import tensors_in, with_tensors
from siamattn_mm.utils.stages import is_observed

from ..task_modules.online import OnlinePart
from ..trackers.runtime import TemplateFeatures, TorchRuntime
from .graphed_call import GraphedCall, record_on_cuda, signature

# Calls that are kept: three for each number of targets.
MAX_CALLS = 12
# Of what is recorded against what is not, as a share of the largest number.
TOLERANCE = 1e-3


class _Recorded:
    """What is recorded of one model."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: Dict[tuple, GraphedCall] = collections.OrderedDict()
        self.weights: tuple = ()
        self.given_up = False


class GraphedRuntime(TorchRuntime):
    """A model in PyTorch; on a GPU, its launches are recorded and replayed.

    A frame of a small model is hundreds of kernels, which the host takes
    longer to launch than the GPU to run. Three calls are recorded, in a
    video's first frames: the search (all up to the maps that are ranked on
    the host), the refinement of boxes, and the mask. What was recorded
    belongs to the model: its videos share it, one frame at a time. It is
    compared with what is not recorded before it is used, and left aside for
    good, with one warning, if that fails. Changed weights are recorded anew.

    Args:
        model (SiamAttn): In eval mode.
        cfg (TrackingConfig): The model's.
    """
    record: Callable = staticmethod(record_on_cuda)
    # By model; a session that is pickled or copied has none of it.
    _of_models: Any = weakref.WeakKeyDictionary()

    @property
    def _recorded(self) -> _Recorded:
        return self._of_models.setdefault(self.model, _Recorded())

    def _records(self) -> bool:
        """Whether this device can; a benchmark wants to see the stages."""
        return (self._device().type == 'cuda' and not is_observed()
                and not self._recorded.given_up)

    def start(self) -> ContextManager:
        """Forget what was recorded of other weights.

        Returns:
            ContextManager: To take the first frame in.
        """
        context, recorded = super().start(), self._recorded
        if not self._records():
            return context
        with recorded.lock:
            weights = tuple(
                (t.data_ptr(), t._version)
                for t in (*self.model.parameters(), *self.model.buffers()))
            if weights != recorded.weights:
                recorded.calls.clear()
                recorded.weights = weights
        return context

    @contextlib.contextmanager
    def frame(self) -> Iterator[None]:
        """Keep the recorded memory for one video.

        Yields:
            None: Where there is any, other threads' frames of this model wait
            until the end of the block.
        """
        alone = contextlib.nullcontext()
        if self._records():
            alone = self._recorded.lock
        with alone, super().frame():
            yield

    def _search(self, template: TemplateFeatures, crops: Tensor,
                learnt: Sequence[tuple]) -> tuple:
        if not self._records():
            return super()._search(template, crops, learnt)
        states = [
            tuple(state if _answers(part) else None
                  for part, state in zip(self.parts, target))
            for target in learnt
        ]
        # In the first frame nothing is learnt yet.
        new = any(
            state is None and _answers(part) for target in learnt
            for part, state in zip(self.parts, target))
        if new or not _is_plain(states):
            return super()._search(template, crops, learnt)
        values = template, states

        def search(crops: Tensor, *tensors: Tensor) -> tuple:
            template, states = with_tensors(values, iter(tensors))
            return TorchRuntime._search(self, template, crops, states)

        # A part that was exchanged has other numbers, which are recorded too.
        own = tuple(id(part) for part in self.parts if _is_recorded(part))
        return self._run(('search', *own), search, crops, *tensors_in(values))

    def _refine(self, fused: Tensor, boxes: Tensor) -> Tensor:
        if not self._records():
            return super()._refine(fused, boxes)
        return self._run(('refine', ), super()._refine, fused, boxes)

    def _segment(self, fused: Tensor, rois: Tensor) -> Tensor:
        if not self._records():
            return super()._segment(fused, rois)
        return self._run(('segment', ), super()._segment, fused, rois)

    def _run(self, name: Tuple[Any, ...], function: Callable[..., Any],
             *inputs: Tensor) -> Any:
        """Run what is recorded; record it first, if it is not.

        ``name`` begins with what is to be said of it, and has what it depends
        on besides.
        """
        recorded = self._recorded
        # The function keeps its parts, so that their ids are not used again.
        key = (name, self.cfg, signature(inputs))
        call = recorded.calls.get(key)
        if call is None:
            expected = function(*inputs)
            try:
                device = self._device()
                call = GraphedCall(function, [t.to(device) for t in inputs],
                                   self.record)
                _compare(tensors_in(call(*inputs)), tensors_in(expected))
            except RuntimeError as error:
                recorded.given_up = True
                recorded.calls.clear()
                warnings.warn(
                    f'CUDA graphs are not used ({name[0]}: '
                    f'{first_line(error)}): frames take longer', stacklevel=2)
                return expected
            if len(recorded.calls) >= MAX_CALLS:
                recorded.calls.pop(next(iter(recorded.calls)))
            recorded.calls[key] = call
        return call(*inputs)


def _answers(part: OnlinePart) -> bool:
    """Whether a part has a say on the device."""
    return type(part).respond is not OnlinePart.respond


def _is_recorded(part: OnlinePart) -> bool:
    """Whether a part computes on the device in each frame."""
    return _answers(part) or type(part).features is not OnlinePart.features


def _is_plain(states: Sequence[tuple]) -> bool:
    """Whether states are tensors alone: other values would be recorded."""

    def plain(value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return all(map(plain, value))
        return value is None or isinstance(value, Tensor)

    return all(map(plain, states))


def _compare(found: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    """Refuse a recording that gives something else.

    Raises:
        RuntimeError: If it does.
    """
    for one, other in zip(found, expected):
        other = other.float()
        scale = other.abs().max().clamp(min=1e-6)
        gap = float((one.float() - other).abs().max() / scale)
        # Half types round each time alike.
        if not gap <= TOLERANCE:
            raise RuntimeError('what is replayed differs from what was '
                               f'recorded by {gap:.2g} of the largest number')
