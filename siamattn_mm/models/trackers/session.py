"""A target that is followed through a video."""
from typing import Optional, Sequence

import numpy as np

from .frame_step import FrameStep, TrackResult, TrackState
from .runtime import Runtime
from .tracking_config import TrackingConfig


class TrackingSession:
    """Follows one target with a network that others may use, too.

    All that it knows of the target is :attr:`state`, which is replaced, never
    changed: a session can be pickled or copied and goes on where it was.
    ``copy.copy`` shares the network.

    Args:
        runtime (Runtime): The network.
        cfg (TrackingConfig): What the network was built for.

    Attributes:
        state (TrackState, optional): None before :meth:`start`.

    Examples:
        >>> session = model.new_session()
        >>> session.start(frames[0], (x, y, w, h))
        >>> results = [session.step(frame) for frame in frames[1:]]
    """

    def __init__(self, runtime: Runtime, cfg: TrackingConfig) -> None:
        self.frame_step = FrameStep(runtime, cfg)
        self.state: Optional[TrackState] = None

    def start(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take the target from the first frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8.
            bbox (Sequence[float]): xywh in image pixels.

        Raises:
            ValueError: If ``test_cfg`` asks for ``fp16`` on a CPU.
        """
        self.state = self.frame_step.begin(frame, bbox)

    def step(self, frame: np.ndarray) -> TrackResult:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.

        Returns:
            TrackResult: Where it is.

        Raises:
            RuntimeError: If :meth:`start` was not called before.
        """
        if self.state is None:
            raise RuntimeError('step() was called before start(): give the '
                               'target in the first frame')
        (result, ), (self.state, ) = self.frame_step(frame, [self.state])
        return result
