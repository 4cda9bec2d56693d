"""From a config and its weights to two ONNX files."""
import contextlib
import copy
import hashlib
import inspect
import io
import logging
import warnings
from typing import (
    Any,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)

import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.config import Config
from torch import Tensor, nn

from siamattn_mm.models.trackers import SiamAttn
from siamattn_mm.torch_compat import newest_onnx_opset
from siamattn_mm.utils.files import written_whole
from siamattn_mm.version import __version__

from .files import (
    METADATA_KEY,
    ExportError,
    Metadata,
    plain,
    require,
    template_path,
)
from .graphs import (
    TEMPLATE_INPUTS,
    TemplateGraph,
    TrackGraph,
    state_tensors,
)
from .lowering import OPSET, standard_operators

# Whatever else changes how frames are tracked, the graphs would not do.
_KNOWN_TEST_CFG = dict(
    exemplar_size=None,
    search_size=None,
    context_amount=None,
    center_size=None,
    min_size=None,
    fold_norms=None,
    precision=None,
    rpn=('penalty_k', 'window_influence', 'lr', 'vote_iou', 'hold_score',
         'recover_score', 'filter_influence', 'calibration'),
    refine=('box', 'mask_thr', 'min_contour_area'))


def _check_test_cfg(test_cfg: Mapping[str, Any]) -> None:
    """Refuse options of the tracker that the graphs know nothing of."""
    unknown = [key for key in test_cfg if key not in _KNOWN_TEST_CFG]
    for part in ('rpn', 'refine'):
        unknown += [
            f'{part}.{key}' for key in test_cfg.get(part) or ()
            if key not in _KNOWN_TEST_CFG[part]
        ]
    if unknown:
        raise ExportError('models with these options of test_cfg cannot be '
                          f'exported: {", ".join(unknown)}')


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


def _trace(graph: nn.Module, args: Sequence[Tensor], inputs: Sequence[str],
           outputs: Sequence[str]) -> Any:
    onnx = require('onnx')
    # PyTorch's older exporter, which every release has.
    choice = {}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        choice = dict(dynamo=False)
    buffer = io.BytesIO()
    with _quiet():
        torch.onnx.export(
            graph,
            tuple(args),
            buffer,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            **choice)
    return onnx.load_model_from_string(buffer.getvalue())


def trace_graphs(model: SiamAttn, deform_conv: str = 'operator') -> List[Any]:
    """Turn a model into two graphs.

    Args:
        model (SiamAttn): In eval mode, with unfolded norms
            (``test_cfg.fold_norms=False``). It is not changed.
        deform_conv (str): See :func:`~.lowering.standard_operators`.
            Defaults to 'operator'.

    Returns:
        list[onnx.ModelProto]: The template's graph and the one that tracks.

    Raises:
        ExportError: If ``test_cfg`` has an option that the graphs do not
            know.
    """
    _check_test_cfg(model.test_cfg)
    model = fuse_conv_bn(copy.deepcopy(model)).cpu().requires_grad_(False)
    cfg = model.test_cfg

    def crop(size: int) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randint(
            0, 256, (1, size, size, 3), dtype=torch.uint8,
            generator=generator)

    rpn = cfg.rpn
    args = (crop(cfg.search_size), torch.tensor([160., 120., 64., 48.]),
            torch.tensor([float(cfg.search_size)]),
            torch.tensor([320., 240.]),
            torch.tensor([rpn.penalty_k, rpn.window_influence, rpn.lr]),
            torch.zeros(4), *_learnt_inputs(model))
    with torch.no_grad(), standard_operators(deform_conv):
        template_graph = TemplateGraph(model)
        template = crop(cfg.exemplar_size)
        state = template_graph.state(template)
        names = [name for name, _ in state_tensors(state)]
        tensors = [tensor for _, tensor in state_tensors(state)]
        track_graph = TrackGraph(model, state)
        return [
            _trace(template_graph, [template], TEMPLATE_INPUTS, names),
            _trace(track_graph, [*args, *tensors],
                   [*track_graph.inputs, *names], track_graph.outputs)
        ]


def _learnt_inputs(model: SiamAttn) -> List[Tensor]:
    """Of the shapes of what is learnt from the video; maybe none."""
    learner, regressor = model.correlation_filter, model.box_regressor
    side = model.test_cfg.search_size
    low_level, neck_x = model.forward_search(torch.zeros(1, 3, side, side))
    inputs = []
    if learner:
        inputs += [
            torch.tensor([model.test_cfg.rpn.filter_influence]),
            learner.init(learner.spectrum(neck_x),
                         (side / 4, side / 4)).filter
        ]
    if regressor:
        feats = regressor.pool(
            regressor.maps(low_level, neck_x),
            torch.tensor([[0., 0., side / 4, side / 4]]))
        inputs.append(torch.zeros(feats.shape[1] + 1, 4))
    if model.rival_association:
        inputs.append(torch.zeros(model.rival_association.max_candidates, 4))
    return inputs


def export_tracker(config: Union[str, Config],
                   checkpoint: Optional[str],
                   out: str,
                   deform_conv: str = 'operator') -> List[str]:
    """Write a tracker's network as ONNX files.

    Args:
        config (str | Config): As for ``init_tracker``.
        checkpoint (str, optional): As for ``init_tracker``; without it, the
            package's own weights.
        out (str): ``NAME.onnx``, the graph that tracks; the template's goes
            to ``NAME.init.onnx``.
        deform_conv (str): See :func:`~.lowering.standard_operators`.
            Defaults to 'operator'.

    Returns:
        list[str]: The two paths.

    Raises:
        ExportError: If ``out`` has another suffix, this PyTorch is too old,
            ``onnx`` is not installed, or the config is another tracker's or
            has an unknown ``test_cfg``.
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
    paths = [template_path(out), out]
    config = copy.deepcopy(read_config(config))
    described = plain(config.model.to_dict())
    config.model.setdefault('test_cfg', {})['fold_norms'] = False
    try:
        model = init_tracker(config, checkpoint).model
    except TypeError as error:
        raise ExportError(str(error)) from error
    protos = trace_graphs(model, deform_conv)
    export_id = hashlib.sha256(
        b''.join(proto.SerializeToString() for proto in protos)).hexdigest()
    for path, proto, graph in zip(paths, protos, ('template', 'track')):
        metadata = Metadata(graph, __version__, export_id[:16], described)
        proto.metadata_props.add(key=METADATA_KEY, value=metadata.dump())
        proto.producer_name = 'siamattn_mm'
        with written_whole(path) as temporary:
            with open(temporary, 'wb') as file:
                file.write(proto.SerializeToString())
    return paths
