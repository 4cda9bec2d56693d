"""The SiamAttn tracker with its network in ONNX files."""
from typing import Any, Optional, Sequence

from mmengine.config import Config, ConfigDict
from mmengine.model import BaseModel
from mmtrack.registry import MODELS, TASK_UTILS

from siamattn_mm.models.sot.siamattn import ARGUMENTS
from siamattn_mm.models.task_modules import build_parts
from siamattn_mm.models.trackers import TrackingConfig, TrackingSession
from siamattn_mm.models.trackers.mmtrack_adapter import VideoPredictor
from siamattn_mm.models.trackers.tracking_config import refuse_unknown

from .files import (
    ExportError,
    Metadata,
    check_exists,
    describe,
    differences,
    graph_path,
)
from .onnx_runtime import OnnxRuntime
from .runtimes import open_graph


@MODELS.register_module()
class ExportedSiamAttn(VideoPredictor, BaseModel):
    """SiamAttn that only tracks, its network run by an ONNX runtime.

    Any config of ``SiamAttn`` becomes one of this class with two options:
    ``model.type=ExportedSiamAttn model.onnx_file=model.onnx``. Of
    ``test_cfg`` and ``online``, all counts that is not part of the graphs;
    what is cannot be changed any more.

    Args:
        onnx_file (str): The search graph, from ``siamattn export``; the
            others lie beside it.
        test_cfg (dict): As for ``SiamAttn``.
        head (dict): As for ``SiamAttn``.
        runtime (str): ``'onnxruntime'`` or ``'openvino'``.
            Defaults to 'onnxruntime'.
        online (Sequence[dict], optional): As for ``SiamAttn``. What a part
            takes from the network has to be in the files. Defaults to None.
        data_preprocessor (dict): As for ``SiamAttn``; crops are normalised in
            the graphs. Defaults to dict(type='SOTDataPreprocessor').
        **network: The parts that the files hold; they must be the same.

    Raises:
        ExportError: If a file is missing or not an export, they are not of
            one export, or were made from another network.
        ValueError: If ``test_cfg`` or an argument is unknown.
    """

    def __init__(self,
                 onnx_file: str,
                 test_cfg: dict,
                 head: dict,
                 runtime: str = 'onnxruntime',
                 online: Optional[Sequence[dict]] = None,
                 data_preprocessor: dict = dict(type='SOTDataPreprocessor'),
                 **network: Any) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        refuse_unknown(network, ARGUMENTS, 'model')
        self.test_cfg = ConfigDict(test_cfg)
        self.online = build_parts(online)
        cfg = self.tracking_cfg
        check_exists(onnx_file)
        search = open_graph(onnx_file, runtime, cfg.precision)
        export = Metadata.parse(search.entries, onnx_file)
        wrong = differences(
            export.model,
            describe(
                dict(network, head=head, data_preprocessor=data_preprocessor),
                cfg, self.online))
        if wrong:
            raise ExportError(
                f'{onnx_file!r} was exported from another config; these '
                f'differ: {", ".join(wrong)}')
        graphs = dict(search=search)
        for kind in export.kinds:
            if kind == export.graph:
                continue
            path = graph_path(onnx_file, kind)
            # OpenVINO's mask graph takes longer in bfloat16.
            precision = 'fp32' if kind == 'mask' else cfg.precision
            graphs[kind] = open_graph(path, runtime, precision)
            other = Metadata.parse(graphs[kind].entries, path)
            if other.export_id != export.export_id:
                raise ExportError(f'{path!r} and {onnx_file!r} are not of one '
                                  'export')
        self.runtime = OnnxRuntime(
            graphs, self.online,
            TASK_UTILS.build(head['anchor_generator']), cfg.crop_middle)

    @property
    def tracking_cfg(self) -> TrackingConfig:
        """TrackingConfig: What ``test_cfg`` says now."""
        return TrackingConfig.from_cfg(self.test_cfg)

    @property
    def makes_masks(self) -> bool:
        """bool: Whether the target is segmented."""
        return self.runtime.makes_masks

    def new_session(self) -> TrackingSession:
        return TrackingSession(self.runtime, self.tracking_cfg)

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
        return self.predict(inputs, data_samples or [], **kwargs)


def build_exported(config: Config, path: str,
                   runtime: str = 'onnxruntime') -> ExportedSiamAttn:
    """Build the tracker that a config and an exported file describe.

    Args:
        config (Config): The one that was exported; tracking parameters may
            differ.
        path (str): The search graph.
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
