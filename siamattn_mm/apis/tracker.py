"""Track one object, frame by frame."""
import os
import os.path as osp
import warnings
from typing import NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

import siamattn_mm
from siamattn_mm.deploy import build_exported, is_exported
from siamattn_mm.models.trackers import (
    SiamAttn,
    TrackingSession,
    TrackResult,
    xywh_of,
)
from siamattn_mm.models.trackers.mmtrack_adapter import VideoPredictor
from siamattn_mm.utils import CheckpointError, load_into
from siamattn_mm.utils.configs import find_config
from siamattn_mm.utils.devices import check_device
from siamattn_mm.utils.machine_load import LOAD
from siamattn_mm.utils.stages import stage

# Of a box against the frame's longer side. Windows are cut around the box, so
# that a slip of the keyboard would take all memory.
MAX_RELATIVE_SIZE = 4
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
    """A model that follows one target.

    Args:
        model (SiamAttn): Built and loaded; put into eval mode here.
        choose_threads (bool): Whether, while the machine is busy, frames are
            tried on one thread of PyTorch, too, and tracked on as many as are
            faster. The last digits differ between the two; False gives the
            same ones whatever else runs. The caller's number of threads
            stays as it is. Defaults to True.

    Examples:
        >>> tracker = init_tracker('configs/siamattn/siamattn_mobilenetv2.py')
        >>> tracker.init(frames[0], (x, y, w, h))
        >>> for frame in frames[1:]:
        ...     result = tracker.update(frame)
    """

    def __init__(self, model: SiamAttn, choose_threads: bool = True) -> None:
        if not isinstance(model, VideoPredictor):
            raise TypeError('Tracker takes a SiamAttn model, but the config '
                            f'builds a {type(model).__name__}')
        self.model = model.eval()
        self._choose_threads = choose_threads
        self.session: Optional[TrackingSession] = None
        self._frame_shape: Optional[Tuple[int, ...]] = None

    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take the target from the first frame.

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
        self.session = self.model.new_session()
        self.session.start(frame, box)
        self._frame_shape = frame.shape

    def update(self, frame: np.ndarray) -> Result:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.

        Returns:
            Result: See there.

        Raises:
            RuntimeError: If :meth:`init` was not called before.
            TypeError: If the frame is not a uint8 array.
            ValueError: If its shape is not that of the first frame.
        """
        if self._frame_shape is None:
            raise RuntimeError('update() was called before init(): give the '
                               'target in the first frame')
        check_frame(frame)
        if frame.shape != self._frame_shape:
            raise ValueError(
                f'the frame is {frame.shape[1]}x{frame.shape[0]}, but the '
                f'first one was {self._frame_shape[1]}x{self._frame_shape[0]}:'
                ' call init() again after a change of size')
        with LOAD.choosing_threads(self._choose_threads):
            result = self.session.step(frame)
        return _full(result)


def _full(result: TrackResult) -> Result:
    mask = None
    if result.pasted_mask is not None:
        with stage('paste'):
            mask = result.pasted_mask.full()
    return Result(result.bbox, result.score, mask, result.polygon, result.lost)


def check_frame(frame: np.ndarray) -> None:
    """Refuse what is not a colour frame.

    Args:
        frame (np.ndarray): To be (H, W, 3) uint8.

    Raises:
        TypeError: If it is not a uint8 array.
        ValueError: If its shape is not (H, W, 3), or a side is less than 2.
    """
    if not isinstance(frame, np.ndarray):
        raise TypeError('a frame is a numpy array of shape (H, W, 3), but got '
                        f'{type(frame).__name__}')
    if frame.dtype != np.uint8:
        raise TypeError('a frame holds BGR values 0..255 as uint8, but got '
                        f'{frame.dtype}: convert it with .astype("uint8") '
                        'after scaling to 0..255')
    hint = ''
    if frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 1):
        hint = ': turn grey into colour with cv2.COLOR_GRAY2BGR'
    elif frame.ndim == 3 and frame.shape[2] == 4:
        hint = ': drop the alpha channel with frame[..., :3]'
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError('a frame has shape (H, W, 3), BGR, but got '
                         f'{frame.shape}{hint}')
    if min(frame.shape) < 2:
        raise ValueError('a frame has at least 2x2 pixels, but got '
                         f'{frame.shape[1]}x{frame.shape[0]}')


def check_bbox(bbox: Sequence[float],
               frame_shape: Tuple[int, ...]) -> np.ndarray:
    """Refuse a box that no target can have.

    Args:
        bbox (Sequence[float]): x, y, w, h or 8 numbers of a polygon.
        frame_shape (tuple[int, ...]): (H, W, ...).

    Returns:
        np.ndarray: (4,) float64, x, y, w, h.

    Raises:
        ValueError: If it is not 4 or 8 finite numbers, has no area or less
            than a pixel's (a share of the frame, 0..1), lies outside the
            frame, or is more than ``MAX_RELATIVE_SIZE`` times as large.
    """
    try:
        box = np.asarray(bbox, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise ValueError(f'bbox must be numbers, but got {bbox!r}') from error
    if box.size not in (4, 8) or not np.isfinite(box).all():
        raise ValueError('bbox must be 4 finite numbers x, y, w, h, or the 8 '
                         f'of a polygon, but got {bbox!r}')
    extent = box[2:]
    if box.size == 8:
        px, py = box.reshape(4, 2).T
        # The shoelace formula.
        if not abs(px @ np.roll(py, 1) - py @ np.roll(px, 1)) > 0:
            raise ValueError('bbox has no area: the corners of the polygon '
                             f'{bbox!r} lie on a line')
        extent = np.array([np.ptp(px), np.ptp(py)])
    if min(extent) <= 0:
        raise ValueError('bbox has no area: width and height must be '
                         f'positive, but got {bbox!r}')
    height, width = frame_shape[:2]
    # All of the frame is 0, 0, 1, 1 as shares; of four pixels it is one.
    share = box.min() >= 0 and box.max() <= 1 and max(height, width) > 2
    if max(extent) < 1 or share:
        raise ValueError(
            f'bbox {bbox!r} is smaller than a pixel: x, y, width and height '
            'are asked for in pixels, not as shares of the frame, which is '
            f'{width}x{height}')
    x, y, w, h = box = xywh_of(box) if box.size == 8 else box
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ValueError(f'bbox {bbox!r} lies outside the frame of '
                         f'{width}x{height} pixels')
    if max(w, h) > MAX_RELATIVE_SIZE * max(width, height):
        raise ValueError(
            f'bbox {bbox!r} is more than {MAX_RELATIVE_SIZE} times as large '
            f'as the frame of {width}x{height} pixels')
    return box


def read_config(config: Union[str, os.PathLike, Config]) -> Config:
    """Read the config of a model.

    Args:
        config (str | os.PathLike | Config): Config file, see
            :func:`siamattn_mm.utils.configs.find_config`, or what was read
            from one.

    Returns:
        Config: With a ``model``.

    Raises:
        FileNotFoundError: If there is no such config.
        TypeError: If it is neither a path nor a ``Config``.
        ValueError: If it describes no model.
    """
    if not isinstance(config, Config):
        if not isinstance(config, (str, os.PathLike)):
            raise TypeError('config is a path or a Config, but got '
                            f'{type(config).__name__}')
        config = find_config(os.fspath(config))
        if not osp.isfile(config):
            raise FileNotFoundError(f'config {config!r} does not exist')
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


def init_tracker(config: Union[str, Config],
                 checkpoint: Optional[str] = None,
                 device: Optional[str] = None,
                 runtime: str = 'onnxruntime',
                 choose_threads: bool = True) -> Tracker:
    """Build a tracker from a config and load its weights.

    Args:
        config (str | Config): Config file, or what was read from one.
        checkpoint (str, optional): Weights, or ``NAME.onnx`` from
            ``tools/export.py``. Without it those that ship with the package
            are loaded, if the config names some (``package_weights``);
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
