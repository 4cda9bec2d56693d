"""What every part that learns from the video has in common."""
from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmtrack.registry import TASK_UTILS
from torch import Tensor

from .selection import Ranking

Feats = Sequence[Tensor]
# Where the target is looked for in the first frame: offset of the crop in
# target sizes, and factor of the size that it is taken for. The first one is
# the target's own place.
VIEWS = ((0., 0., 1.), (.3, .3, 1.), (-.3, .3, 1.), (.3, -.3, 1.),
         (-.3, -.3, 1.), (0., 0., .85), (0., 0., 1.18))


class View(NamedTuple):
    """A search crop of the first frame, where the truth is known.

    Attributes:
        found (np.ndarray): (4,), the proposal, cxcywh in crop pixels from the
            crop's middle.
        truth (np.ndarray): (4,), the target, likewise.
        features (tuple[Tensor]): What the part's ``features`` gave.
    """
    found: np.ndarray
    truth: np.ndarray
    features: Tuple[Tensor, ...]


class Outcome(NamedTuple):
    """What came of a frame.

    Attributes:
        box (np.ndarray): (4,), what was found, cxcywh in image pixels.
        in_crop (np.ndarray): (4,), the same in crop pixels from the crop's
            middle, neither smoothed nor clipped but for its size.
        score (float): 0..1.
        found (bool): Whether it is taken for the target: all parts accept it.
        doubtful (bool): Whether something else was ranked first.
        features (tuple[Tensor]): What the part's ``features`` gave.
        note (Any): What the part's ``choose`` noted.
    """
    box: np.ndarray
    in_crop: np.ndarray
    score: float
    found: bool
    doubtful: bool
    features: Tuple[Tensor, ...]
    note: Any


class OnlinePart:
    """Something that learns from the video, in a model's ``online`` list.

    A subclass is registered in ``TASK_UTILS`` and overrides what it needs.
    What it has learnt of a target is a value that is handed to it, never
    changed, and not kept in it: one part serves any number of targets. The
    hooks that take a state are called behind :meth:`learn`, in the order of
    the list. Tensors are on the network's device, arrays on the host.

    Attributes:
        views (int): How many crops of the first frame it learns from, of
            ``VIEWS``. Defaults to 0.
        network_args (tuple[str]): Names of the arguments that :meth:`features`
            depends on; an exported model cannot change them.
        stage (str): What its time counts as in a benchmark.
    """
    views = 0
    network_args: Tuple[str, ...] = ()
    stage = 'post-processing'

    @property
    def name(self) -> str:
        """str: Of the part, each once in a model."""
        return type(self).__name__

    def features(self, low_level: Feats, neck_x: Feats) -> Tuple[Tensor, ...]:
        """Take what is to be learnt from out of the network.

        It is part of the network: exported graphs hold it.

        Args:
            low_level (Sequence[Tensor]): What bypasses the neck,
                (N, C, S, S) each.
            neck_x (Sequence[Tensor]): Neck outputs of N search crops,
                (N, C, S, S) each.

        Returns:
            tuple[Tensor]: (N, ...) each; none by default.
        """
        return ()

    def learn(self, target: np.ndarray, views: Sequence[View]) -> Any:
        """Learn the first frame.

        Args:
            target (np.ndarray): (4,), cxcywh in image pixels.
            views (Sequence[View]): As many as asked for.

        Returns:
            Any: The state, not None.
        """
        return ()

    def for_response(self, state: Any) -> Any:
        """Take from the state what :meth:`respond` needs.

        Args:
            state (Any): So far.

        Returns:
            Any: All of it by default. Frames of a part that responds can be
            recorded on a GPU if it is nested tensors and None alone.
        """
        return state

    def respond(self, state: Any, features: Tuple[Tensor, ...],
                size: int) -> Optional[Tensor]:
        """Say on the network's device where the target is.

        Args:
            state (Any): From :meth:`for_response`.
            features (tuple[Tensor]): (1, ...) each.
            size (int): Side of the RPN's maps.

        Returns:
            Tensor | None: (size, size); comes to :meth:`rank`.
        """

    def calibrate(self, state: Any, boxes: np.ndarray) -> np.ndarray:
        """Correct the boxes of all anchors.

        Args:
            state (Any): So far.
            boxes (np.ndarray): (K, 4), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (K, 4).
        """
        return boxes

    def rank(self, state: Any, ranking: Ranking,
             response: Optional[np.ndarray]) -> np.ndarray:
        """Have a say in which anchor is the best.

        Args:
            state (Any): So far.
            ranking (Ranking): So far.
            response (np.ndarray, optional): (S, S), of :meth:`respond`.

        Returns:
            np.ndarray: (K,), new totals.
        """
        return ranking.total

    def choose(self, state: Any, ranking: Ranking, best: int,
               window: Any) -> Tuple[Optional[np.ndarray], Any]:
        """Look at what was ranked first, and maybe refuse it.

        Args:
            state (Any): So far.
            ranking (Ranking): Final.
            best (int): Index of the anchor that is ranked first.
            window (SearchWindow): Where the crop lies.

        Returns:
            tuple[np.ndarray | None, Any]: (K,) bool, anchors that are not to
            be proposed, or None for no objection; and a note for
            :meth:`accepts` and :meth:`update`.
        """
        return None, None

    def correct(self, state: Any, features: Tuple[Tensor, ...],
                box: np.ndarray) -> np.ndarray:
        """Correct the box that was found.

        Args:
            state (Any): So far.
            features (tuple[Tensor]): (1, ...) each.
            box (np.ndarray): (4,), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (4,).
        """
        return box

    def accepts(self, state: Any, note: Any, box: np.ndarray,
                score: float) -> bool:
        """Say whether what was found may be the target.

        What any part refuses is reported, but not followed: the next frame is
        searched around the last place that was accepted.

        Args:
            state (Any): So far.
            note (Any): Of :meth:`choose`.
            box (np.ndarray): (4,), cxcywh in image pixels.
            score (float): 0..1.

        Returns:
            bool: True by default.
        """
        return True

    def update(self, state: Any, outcome: Outcome) -> Any:
        """Learn a frame.

        Args:
            state (Any): So far.
            outcome (Outcome): What came of the frame.

        Returns:
            Any: The next state; the same by default.
        """
        return state

    def lost(self, state: Any) -> bool:
        """Say whether the target is lost.

        Args:
            state (Any): So far.

        Returns:
            bool: False by default.
        """
        return False

    def search_zoom(self, state: Any) -> float:
        """Say how much more of the image is to be searched.

        Args:
            state (Any): So far.

        Returns:
            float: Times the usual window's side, 1 or more; 1 by default. Of
            all parts the largest counts.
        """
        return 1.

    def search_shift(self, state: Any) -> np.ndarray:
        """Say where the target is expected, off its last place.

        Args:
            state (Any): So far.

        Returns:
            np.ndarray: (2,), x and y in image pixels; 0 by default. Those of
            all parts add up.
        """
        return np.zeros(2)


def build_parts(configs: Optional[Sequence[dict]]) -> Tuple[OnlinePart, ...]:
    """Build the parts of a model's ``online`` list.

    Args:
        configs (Sequence[dict], optional): Of parts, in their order.

    Returns:
        tuple[OnlinePart]: Maybe none.

    Raises:
        TypeError: If something is no part.
        ValueError: If there are two of a name.
    """
    parts = tuple(TASK_UTILS.build(config) for config in configs or ())
    for part in parts:
        if not isinstance(part, OnlinePart):
            raise TypeError('model.online holds parts that learn, but '
                            f'{type(part).__name__} is no OnlinePart')
    names = [part.name for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'model.online has {twice[0]} twice')
    return parts
