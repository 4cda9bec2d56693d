"""Track one object or several, frame by frame."""
import os
import os.path as osp
import warnings
from typing import Dict, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

import siamattn_mm
from siamattn_mm.deploy import build_exported, is_exported
from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.models.trackers import (
    FrameStep,
    TrackingSession,
    TrackResult,
    TrackState,
)
from siamattn_mm.models.trackers.mmtrack_adapter import VideoPredictor
from siamattn_mm.utils import CheckpointError, load_into
from siamattn_mm.utils.configs import DEFAULT_CONFIG, require_config
from siamattn_mm.utils.devices import check_device
from siamattn_mm.utils.machine_load import LOAD
from siamattn_mm.utils.stages import stage

from .inputs import check_bbox, check_frame

_CONFIG_SUFFIXES = ('.py', '.json', '.yaml', '.yml')


class Result(NamedTuple):
    """Where the target is in one frame.

    Attributes:
        bbox (np.ndarray): (4,) float, x, y, w, h in pixels.
        score (float): How sure the tracker is, 0..1.
        mask (np.ndarray, optional): (H, W) bool; None without a mask head.
        polygon (np.ndarray, optional): (4, 2) float, corners of the rotated
            box in pixels; None without a mask head.
        lost (bool): Whether the target is lost: ``bbox`` is the best guess,
            but not followed until the target is found again.
            Defaults to False.
    """
    bbox: np.ndarray
    score: float
    mask: Optional[np.ndarray]
    polygon: Optional[np.ndarray]
    lost: bool = False


class Tracker:
    """A model that follows one target, or several in one batch.

    Args:
        model (SiamAttn): Built and loaded, or an exported one; put into eval
            mode here.
        choose_threads (bool): Whether, while the machine is busy, frames are
            tried on one thread of PyTorch, too, and tracked on as many as are
            faster. The last digits differ between the two; False gives the
            same ones whatever else runs. The caller's number of threads
            stays as it is. Defaults to True.

    Attributes:
        session (TrackingSession, optional): Of the target of :meth:`init`.

    Examples:
        >>> tracker = init_tracker('siamattn_mobilenetv2')
        >>> tracker.init(frames[0], (x, y, w, h))
        >>> for frame in frames[1:]:
        ...     result = tracker.update(frame)

        >>> first = tracker.add(frames[0], (x, y, w, h))
        >>> second = tracker.add(frames[0], other_box)
        >>> tracker.update(frames[1])[second].bbox
        >>> tracker.remove(first)
    """

    def __init__(self, model: VideoPredictor,
                 choose_threads: bool = True) -> None:
        if not isinstance(model, VideoPredictor):
            raise TypeError('Tracker takes a SiamAttn model, but the config '
                            f'builds a {type(model).__name__}')
        self.model = model.eval()
        self._choose_threads = choose_threads
        self._forget()

    def _forget(self) -> None:
        self.session: Optional[TrackingSession] = None
        self._frame_shape: Tuple[int, ...] = ()
        # Of what add() has added.
        self._step: Optional[FrameStep] = None
        self._targets: Dict[int, TrackState] = {}
        self._last_id = 0

    @property
    def makes_masks(self) -> bool:
        """bool: Whether results have a mask and a polygon."""
        return self.model.makes_masks

    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take the one target from the first frame; forget all others.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, as OpenCV reads it.
            bbox (Sequence[float]): x, y, w, h in pixels, or the 8 numbers
                x1, y1, ..., x4, y4 of a polygon.

        Raises:
            TypeError: If the frame is not a uint8 array.
            ValueError: If its shape is not (H, W, 3), or as
                :func:`check_bbox`.
        """
        check_frame(frame)
        box = check_bbox(bbox, frame.shape)
        session = self.model.new_session()
        session.start(frame, box)
        self._forget()
        self.session, self._frame_shape = session, frame.shape

    def add(self, frame: np.ndarray, bbox: Sequence[float]) -> int:
        """Take another target from a frame of a video, at any time.

        All are followed by :meth:`update` together, each as if it were alone.
        A target of :meth:`init` is forgotten.

        Args:
            frame (np.ndarray): As for :meth:`init`; of the size that the
                targets so far were given in.
            bbox (Sequence[float]): As for :meth:`init`.

        Returns:
            int: Its id: 1, 2, ...

        Raises:
            TypeError: As :meth:`init`.
            ValueError: As :meth:`init`, or if the frame has another size.
        """
        check_frame(frame)
        box = check_bbox(bbox, frame.shape)
        if self._targets:
            self._check_size(frame)
        step = self._step or self.model.new_session().frame_step
        state = step.begin(frame, box)
        if self.session is not None:
            self._forget()
        self._step, self._frame_shape = step, frame.shape
        self._last_id += 1
        self._targets[self._last_id] = state
        return self._last_id

    def remove(self, target: int) -> None:
        """Follow a target no more.

        Args:
            target (int): From :meth:`add`.

        Raises:
            ValueError: If there is no such target.
        """
        if target not in self._targets:
            raise ValueError(f'there is no target {target!r}; those that are '
                             f'followed are {list(self._targets)}')
        del self._targets[target]

    def update(self, frame: np.ndarray) -> Union[Result, Dict[int, Result]]:
        """Find the target in the next frame, or all that were added.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.

        Returns:
            Result | dict[int, Result]: By id once :meth:`add` was used.

        Raises:
            RuntimeError: If neither :meth:`init` nor :meth:`add` was called
                before.
            TypeError: If the frame is not a uint8 array.
            ValueError: If its shape is not that of the first frame.
        """
        if not self._frame_shape:
            raise RuntimeError('update() was called before init() or add(): '
                               'give the target in the first frame')
        check_frame(frame)
        self._check_size(frame)
        with LOAD.choosing_threads(self._choose_threads):
            if self.session is not None:
                return _full(self.session.step(frame))
            if self._step is None or not self._targets:
                return {}
            results, states = self._step(frame, list(self._targets.values()))
        self._targets = dict(zip(self._targets, states))
        return dict(zip(self._targets, map(_full, results)))

    def _check_size(self, frame: np.ndarray) -> None:
        if frame.shape != self._frame_shape:
            raise ValueError(
                f'the frame is {frame.shape[1]}x{frame.shape[0]}, but the '
                f'first one was {self._frame_shape[1]}x{self._frame_shape[0]}:'
                ' call init() again after a change of size')


def _full(result: TrackResult) -> Result:
    mask = None
    if result.pasted_mask is not None:
        with stage('paste'):
            mask = result.pasted_mask.full()
    return Result(result.bbox, result.score, mask, result.polygon, result.lost)


def read_config(config: Union[str, os.PathLike, Config]) -> Config:
    """Read the config of a model.

    Args:
        config (str | os.PathLike | Config): Config file, see
            :func:`siamattn_mm.utils.configs.find_config`, or what was read
            from one.

    Returns:
        Config: With a ``model``.

    Raises:
        FileNotFoundError: If there is no such config; those that ship with
            the package and have a name like it are named.
        TypeError: If it is neither a path nor a ``Config``.
        ValueError: If it describes no model.
    """
    if not isinstance(config, Config):
        if not isinstance(config, (str, os.PathLike)):
            raise TypeError('config is a path or a Config, but got '
                            f'{type(config).__name__}')
        config = require_config(config)
        if not config.endswith(_CONFIG_SUFFIXES):
            raise ValueError(f'config {config!r} is not a config file '
                             f'({", ".join(_CONFIG_SUFFIXES)})')
        config = Config.fromfile(config)
    if 'model' not in config:
        raise ValueError(f'config {config.filename!r} describes no model')
    return config


def _load_shipped_weights(config: Config, model: SiamAttn) -> bool:
    """Load the package's own weights for a config, if there are any."""
    name = config.get('package_weights')
    path = osp.join(osp.dirname(siamattn_mm.__file__), 'weights', str(name))
    if name is None or not osp.isfile(path):
        return False
    try:
        load_into(model, path)
    except CheckpointError as error:
        warnings.warn(
            f'the shipped weights {name!r} that the config names are not '
            f'loaded: {str(error).splitlines()[0]}',
            stacklevel=3)
        return False
    return True


def init_tracker(config: Union[str, os.PathLike, Config] = DEFAULT_CONFIG,
                 checkpoint: Union[str, os.PathLike, None] = None,
                 device: Optional[str] = None,
                 runtime: str = 'onnxruntime',
                 choose_threads: bool = True) -> Tracker:
    """Build a tracker from a config and load its weights.

    Args:
        config (str | os.PathLike | Config): Config file, the name of one that
            ships with the package, or what was read from one. Defaults to the
            small model whose weights ship.
        checkpoint (str | os.PathLike, optional): Weights, or ``NAME.onnx``
            from ``siamattn export``. Without it those that ship with the
            package are loaded, if the config names some (``package_weights``);
            otherwise the model is untrained, and says so. Defaults to None.
        device (str, optional): e.g. ``'cuda:1'``. Exported models always run
            on the CPU. Defaults to None: the GPU where PyTorch sees one that
            works, else the CPU.
        runtime (str): What runs an exported model, ``'onnxruntime'`` or
            ``'openvino'``. Defaults to 'onnxruntime'.
        choose_threads (bool): See :class:`Tracker`. Defaults to True.

    Returns:
        Tracker: Ready for :meth:`Tracker.init`.

    Raises:
        FileNotFoundError: If there is no such config.
        TypeError: If the config is neither a path nor a ``Config``, or builds
            another tracker.
        ValueError: If the config describes no model, the device cannot be
            used, or the checkpoint cannot be read or belongs to another
            config; names that differ are listed. Also if an exported model's
            runtime is not installed.
    """
    config = read_config(config)
    if checkpoint is not None:
        checkpoint = os.fspath(checkpoint)
    init_default_scope(config.get('default_scope', 'mmtrack'))
    if checkpoint is not None and is_exported(checkpoint):
        if device is not None and check_device(device).type != 'cpu':
            raise ValueError(f'device {device!r}: exported models such as '
                             f'{checkpoint!r} run on the CPU')
        return Tracker(
            build_exported(config, checkpoint, runtime), choose_threads)
    device = check_device(device)
    model = MODELS.build(config.model)
    tracker = Tracker(model, choose_threads)
    if checkpoint is not None:
        load_into(model, checkpoint)
    elif not _load_shipped_weights(config, model):
        warnings.warn(
            'init_tracker was called without a checkpoint: the '
            'model is untrained and finds nothing',
            stacklevel=2)
    model.to(device)
    return tracker
