"""From a config and its weights to ONNX files."""
import contextlib
import copy
import hashlib
import inspect
import io
import logging
import warnings
from typing import Any, Dict, Iterator, List, Optional, Union

import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from torch import Tensor, nn

from siamattn_mm.models.ops.onnx.lowering import OPSET, standard_operators
from siamattn_mm.models.ops.prepare import prepare_for_inference
from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.torch_compat import newest_onnx_opset
from siamattn_mm.utils.files import written_whole
from siamattn_mm.version import __version__

from .files import (
    METADATA_KEY,
    ExportError,
    Metadata,
    describe,
    graph_path,
    require,
)
from .graphs import (
    FUSED_BOX,
    FUSED_MASK,
    BoxGraph,
    MaskGraph,
    SearchGraph,
    TemplateGraph,
    state_tensors,
)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what tracing says about sizes that are fixed on purpose."""
    loggers = [logging.getLogger('torch.onnx')]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels):
                logger.setLevel(level)


def _trace(graph: nn.Module, *args: Tensor) -> Any:
    onnx = require('onnx')
    graph(*args)  # names its outputs
    # PyTorch's older exporter, which every release has.
    choice = {}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        choice = dict(dynamo=False)
    buffer = io.BytesIO()
    with _quiet():
        torch.onnx.export(
            graph,
            args,
            buffer,
            input_names=graph.inputs,
            output_names=graph.outputs,
            opset_version=OPSET,
            **choice)
    return onnx.load_model_from_string(buffer.getvalue())


def trace_graphs(model: SiamAttn,
                 deform_conv: str = 'operator') -> Dict[str, Any]:
    """Turn a model into graphs.

    Args:
        model (SiamAttn): In eval mode. It is not changed.
        deform_conv (str): See :func:`~.lowering.standard_operators`.
            Defaults to 'operator'.

    Returns:
        dict[str, onnx.ModelProto]: By kind, see ``files.py``.
    """
    model = copy.deepcopy(model)
    # The graphs have norms folded for good, by mmcv, into plain convs.
    prepare_for_inference(model, model.paths.fast, fold=False)
    model = fuse_conv_bn(model).cpu().requires_grad_(False)
    cfg = model.tracking_cfg

    def crop(size: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randint(
            0, 256, (1, size, size, 3), dtype=torch.uint8,
            generator=generator)

    with torch.no_grad(), standard_operators(deform_conv):
        template_graph = TemplateGraph(model)
        template, search = crop(cfg.exemplar_size), crop(cfg.search_size)
        state = template_graph.state(template)
        args = [search, *(tensor for _, tensor in state_tensors(state))]
        search_graph = SearchGraph(model, state)
        protos = dict(
            search=_trace(search_graph, *args),
            template=_trace(template_graph, template))
        maps = dict(zip(search_graph.outputs, search_graph(*args)))
        if FUSED_BOX in maps:
            protos['box'] = _trace(
                BoxGraph(model), maps[FUSED_BOX],
                torch.tensor([[128., 128., 64., 48.]]))
        if FUSED_MASK in maps:
            protos['mask'] = _trace(
                MaskGraph(model), maps[FUSED_MASK],
                torch.tensor([[0., 96., 104., 160., 152.]]))
    return protos


def export_tracker(config: Union[str, Config],
                   checkpoint: Optional[str],
                   out: str,
                   deform_conv: str = 'operator') -> List[str]:
    """Write a tracker's network as ONNX files.

    Args:
        config (str | Config): As for ``init_tracker``.
        checkpoint (str, optional): As for ``init_tracker``; without it, the
            package's own weights.
        out (str): ``NAME.onnx``, the search graph; the template's goes to
            ``NAME.init.onnx``, the refinement's to ``NAME.box.onnx`` and
            ``NAME.mask.onnx``.
        deform_conv (str): See :func:`~.lowering.standard_operators`.
            Defaults to 'operator'.

    Returns:
        list[str]: The files, that of ``out`` last.

    Raises:
        ExportError: If ``out`` has another suffix, this PyTorch is too old,
            ``onnx`` is not installed, or the config is another tracker's.
        FileNotFoundError: If there is no such config.
        ValueError: As ``init_tracker``.
    """
    # It imports this package for exported checkpoints.
    from siamattn_mm.apis.tracker import init_tracker, read_config
    newest = newest_onnx_opset()
    if newest < OPSET:
        raise ExportError(
            f'export needs version {OPSET} of ONNX\'s operators, for '
            f'DeformConv; PyTorch {torch.__version__} writes up to {newest}. '
            'Export in an environment with a newer PyTorch (`bash '
            'tools/setup.sh`)')
    require('onnx')
    graph_path(out, 'search')  # early
    config = read_config(config)
    described = config.model.to_dict()
    try:
        model = init_tracker(config, checkpoint).model
    except TypeError as error:
        raise ExportError(str(error)) from error
    if not isinstance(model, SiamAttn):
        raise ExportError('a SiamAttn model is exported, but the config '
                          f'builds a {type(model).__name__}')
    protos = trace_graphs(model, deform_conv)
    export_id = hashlib.sha256(b''.join(
        proto.SerializeToString() for proto in protos.values())).hexdigest()
    described = describe(described, model.tracking_cfg, model.online)
    paths = []
    for kind in reversed(list(protos)):
        proto, path = protos[kind], graph_path(out, kind)
        metadata = Metadata(kind, tuple(protos), __version__, export_id[:16],
                            described)
        proto.metadata_props.add(key=METADATA_KEY, value=metadata.dump())
        proto.producer_name = 'siamattn_mm'
        with written_whole(path) as temporary:
            with open(temporary, 'wb') as file:
                file.write(proto.SerializeToString())
        paths.append(path)
    return paths
