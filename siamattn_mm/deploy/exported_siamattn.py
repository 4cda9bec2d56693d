"""The SiamAttn tracker with its network in ONNX files."""
from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmtrack.models.sot import SiamRPN
from mmtrack.registry import MODELS

from siamattn_mm.models.task_modules import FilterState
from siamattn_mm.models.task_modules.rivals import Candidates, RivalState
from siamattn_mm.models.trackers import SiamAttn, TrackResult
from siamattn_mm.models.trackers.crop import crop_image
from siamattn_mm.models.trackers.mask_paste import paste_mask
from siamattn_mm.models.trackers.siamattn import View, precision_of

from .files import (
    ExportError,
    Metadata,
    check_exists,
    differences,
    plain,
    template_path,
)
from .graphs import map_outputs
from .runtimes import Arrays, open_graph


class ExportedState(NamedTuple):
    """What is kept between frames.

    Attributes:
        box (np.ndarray): (4,) float64, cxcywh in image pixels.
        pad_value (tuple[float, ...]): The first frame's mean colour.
        template (dict[str, np.ndarray]): What the template's graph gave.
        filter_state (FilterState, optional): The correlation filter's.
        bias (np.ndarray, optional): (4,), what boxes are corrected by.
        regressor_state (Tensor, optional): The box regressor's weights.
        rival_state (RivalState, optional): The rival association's.
        missing (int): For how many frames the target was not found.
    """
    box: np.ndarray
    pad_value: Tuple[float, ...]
    template: Arrays
    filter_state: Optional[FilterState] = None
    bias: Optional[np.ndarray] = None
    regressor_state: Optional[torch.Tensor] = None
    rival_state: Optional[RivalState] = None
    missing: int = 0


@MODELS.register_module()
class ExportedSiamAttn(SiamAttn):
    """SiamAttn that only tracks, its network run by an ONNX runtime.

    Any config of ``SiamAttn`` becomes one of this class with two options:
    ``model.type=ExportedSiamAttn model.onnx_file=model.onnx``. Of
    ``test_cfg``, the tracking parameters and mask thresholds count; what is
    part of the graphs cannot be changed any more.

    Args:
        onnx_file (str): The graph that tracks, from ``tools/export.py``; the
            template's lies beside it.
        test_cfg (dict): As for ``SiamAttn``.
        runtime (str): ``'onnxruntime'`` or ``'openvino'``.
            Defaults to 'onnxruntime'.
        data_preprocessor (dict): As for ``SiamAttn``; crops are normalised in
            the graphs. Defaults to dict(type='SOTDataPreprocessor').
        **network: The parts that the files hold; they must be the same.

    Raises:
        ExportError: If a file is missing or not an export, the two are not of
            one export, or were made from another network.
    """

    def __init__(self,
                 onnx_file: str,
                 test_cfg: dict,
                 runtime: str = 'onnxruntime',
                 data_preprocessor: dict = dict(type='SOTDataPreprocessor'),
                 **network: Any) -> None:
        # SiamRPN's own would build the network.
        super(SiamRPN, self).__init__(data_preprocessor=data_preprocessor)
        self.test_cfg = ConfigDict(test_cfg)
        paths = template_path(onnx_file), onnx_file
        check_exists(onnx_file)
        self._template_graph, self._track_graph = (
            open_graph(path, runtime, precision_of(self.test_cfg))
            for path in paths)
        template, track = (
            Metadata.parse(graph.entries, path) for graph, path in zip(
                (self._template_graph, self._track_graph), paths))
        if template.export_id != track.export_id:
            raise ExportError(f'{paths[0]!r} and {paths[1]!r} are not of one '
                              'export')
        found = dict(
            network, data_preprocessor=data_preprocessor, test_cfg=test_cfg)
        wrong = differences({k: v for k, v in track.model.items()
                             if k != 'type'}, plain(found))
        if wrong:
            raise ExportError(
                f'{onnx_file!r} was exported from another config; these '
                f'differ: {", ".join(wrong)}')
        self._build_learners(
            network.get('correlation_filter'), network.get('box_regressor'),
            network.get('rival_association'))
        self._state: Optional[ExportedState] = None

    def init(self, frame: np.ndarray, bbox: Sequence[float]) -> None:
        """Take the target from the first frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8.
            bbox (Sequence[float]): xywh in image pixels.

        Raises:
            ExportError: If the graph's numbers are NaN or infinite.
        """
        box, pad_value, crop = self._template_crop(frame, bbox)
        template = self._template_graph(dict(template=crop))
        for name, values in template.items():
            if not np.isfinite(values).all():
                raise ExportError(f'the exported model gives NaN or infinite '
                                  f'numbers in {name}: its weights are bad')
        self._state = ExportedState(box, pad_value, template)
        self._adapt(frame)

    def _propose(self, frame: np.ndarray) -> View:
        _, scale, outputs, _ = self._run(frame)
        maps = None
        if self.box_regressor:
            # A runtime may use the same memory for the next frame.
            maps = tuple(
                torch.from_numpy(outputs[name].copy())
                for name in map_outputs(self.box_regressor))
        return View(outputs['proposal'].astype(np.float64), scale,
                    self._spectrum(outputs), maps)

    def _spectrum(self, outputs: Arrays) -> Optional[torch.Tensor]:
        """What the correlation filter learns from; None without one."""
        if not self.correlation_filter:
            return None
        return torch.from_numpy(outputs['spectrum'])

    def track(self, frame: np.ndarray) -> TrackResult:
        """Find the target in the next frame.

        Args:
            frame (np.ndarray): (H, W, 3) BGR uint8, of the first frame's
                size.

        Returns:
            TrackResult: See there.

        Raises:
            RuntimeError: If :meth:`init` was not called before.
        """
        image_size, scale, outputs, candidates = self._run(frame)
        box = outputs['box'].astype(np.float64)
        score = float(outputs['score'][0])
        self._follow(box, score, self._spectrum(outputs),
                     outputs['proposal'][:2].tolist(), scale, candidates)
        mask = None
        if 'mask' in outputs:
            mask = paste_mask(outputs['mask'],
                              outputs['mask_box'].astype(np.float64),
                              image_size, self.test_cfg.refine.mask_thr)
        return self._result(box, score, mask)

    def _run(
        self, frame: np.ndarray
    ) -> Tuple[Tuple[int, int], float, Arrays, Optional[Candidates]]:
        """Look around the target's last place.

        Returns:
            tuple: The image's size, crop pixels per image pixel, what comes
            out of the graph, and what looks like the target.
        """
        crop, side, scale = self._search_crop(frame)
        state, rpn = self._state, self.test_cfg.rpn
        image_size = frame.shape[1], frame.shape[0]
        feeds = dict(
            state.template,
            search=crop,
            last_box=state.box.astype(np.float32),
            window_side=np.array([side], np.float32),
            image_size=np.array(image_size, np.float32),
            tuning=np.array([rpn.penalty_k, rpn.window_influence, rpn.lr],
                            np.float32),
            bias=np.zeros(4, np.float32)
            if state.bias is None else state.bias.astype(np.float32))
        if self.correlation_filter:
            # Before the first frame is learnt, zeros say nothing.
            feeds.update(
                filter=np.zeros(self._track_graph.shapes['filter'], np.float32)
                if state.filter_state is None else
                state.filter_state.filter.numpy(),
                filter_influence=np.array([rpn.filter_influence], np.float32))
        if self.box_regressor:
            feeds.update(
                regressor=np.zeros(self._track_graph.shapes['regressor'],
                                   np.float32) if state.regressor_state is None
                else state.regressor_state.numpy())
        if not self.rival_association:
            return image_size, scale, self._track_graph(feeds), None
        feeds['avoid'] = np.zeros(self._track_graph.shapes['avoid'],
                                  np.float32)
        outputs = self._track_graph(feeds)
        candidates = self._recognise(outputs['boxes'].astype(np.float64),
                                     outputs['ranked'].astype(np.float64),
                                     int(outputs['best'][0]), scale)
        if candidates and candidates.chosen:
            # Seldom enough that a second look does not count.
            feeds['avoid'][:candidates.avoid.shape[1]] = candidates.avoid.T
            feeds['tuning'][2] = 0  # its size stays
            outputs = self._track_graph(feeds)
        return image_size, scale, outputs, candidates

    def _crop(self, frame: np.ndarray, side: int, out_size: int,
              box: np.ndarray, pad_value: Sequence[float]) -> np.ndarray:
        """(1, S, S, 3) uint8: the graphs normalise."""
        return crop_image(frame, box[:2], side, out_size, pad_value)[None]

    def init_weights(self) -> None:
        """Do nothing: the files hold the weights."""

    def forward(self, inputs: dict, data_samples: Optional[list] = None,
                mode: str = 'predict', **kwargs: Any) -> Any:
        """Track one frame, as mmtrack's test loop asks.

        Args:
            inputs (dict[str, Tensor]): As for ``SiamAttn.predict``.
            data_samples (list[TrackDataSample]): As there.
            mode (str): Only ``'predict'``. Defaults to 'predict'.

        Returns:
            list[TrackDataSample]: As there.

        Raises:
            NotImplementedError: In any other mode.
        """
        if mode != 'predict':
            raise NotImplementedError('an exported model only tracks: it has '
                                      f'no mode {mode!r}')
        return self.predict(inputs, data_samples, **kwargs)


def build_exported(config: Config, path: str,
                   runtime: str = 'onnxruntime') -> ExportedSiamAttn:
    """Build the tracker that a config and an exported file describe.

    Args:
        config (Config): The one that was exported; tracking parameters may
            differ.
        path (str): The graph that tracks.
        runtime (str): See :class:`ExportedSiamAttn`.
            Defaults to 'onnxruntime'.

    Returns:
        ExportedSiamAttn: In eval mode.

    Raises:
        ExportError: As :class:`ExportedSiamAttn`.
    """
    model = {k: v for k, v in config.model.items() if k != 'type'}
    return ExportedSiamAttn(
        onnx_file=path, runtime=runtime, **model).eval()
