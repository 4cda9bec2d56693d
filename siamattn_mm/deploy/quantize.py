"""Convolutions in 8 bits, by post-training quantisation."""
import contextlib
import logging
from typing import Any, Dict, Iterator, List, Mapping, Optional, Union

import numpy as np
from mmengine.config import Config

from siamattn_mm.datasets.reading.image_reader import ImageReader
from siamattn_mm.datasets.reading.sequence_folder import (
    find_sequences,
    read_sequence,
)
from siamattn_mm.utils.files import written_whole

from .exported_siamattn import ExportedSiamAttn
from .files import ExportError, require

Feeds = Dict[str, np.ndarray]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back advice to fuse norms first, which the export has done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _Recorder:
    """A graph that keeps what it is given."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self.feeds: List[Feeds] = []

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> Feeds:
        self.feeds.append({name: feeds[name] for name in self.graph.inputs})
        return self.graph(feeds)


def calibration_feeds(model: ExportedSiamAttn, folder: str,
                      num_frames: int) -> List[Feeds]:
    """Look for targets where they are, and keep what the graph was given.

    Args:
        model (ExportedSiamAttn): In single precision.
        folder (str): Of sequences, as ``datasets.reading`` describes
            them. Of each, frames at equal distances are taken, of those that
            show the target.
        num_frames (int): At most, over all sequences.

    Returns:
        list[dict[str, ndarray]]: One per frame.

    Raises:
        SequenceFolderError: If the folder holds no sequences.
        ExportError: If no sequence shows its target twice.
    """
    paths = find_sequences(folder)
    per_sequence = -(-num_frames // len(paths))
    reader = ImageReader()
    graphs: Any = model.runtime.graphs
    session: Any = model.new_session()
    recorder = _Recorder(graphs['search'])
    try:
        for path in paths:
            sequence = read_sequence(path)
            visible = np.flatnonzero(sequence.visible)
            if len(visible) < 2:
                continue
            picked = np.linspace(0, len(visible) - 1, per_sequence + 1)
            first, *others = visible[np.unique(picked.astype(int))]
            session.start(
                reader.image(sequence.frame_path(first)),
                sequence.boxes[first])
            graphs['search'] = recorder
            for index in others:
                x, y, w, h = sequence.boxes[index].astype(float)
                box = np.array([x + (w - 1) / 2, y + (h - 1) / 2, w, h])
                session.state = session.state._replace(box=box)
                session.step(reader.image(sequence.frame_path(index)))
            graphs['search'] = recorder.graph
    finally:
        graphs['search'] = recorder.graph
    if not recorder.feeds:
        raise ExportError(f'{folder!r} holds no sequence that shows its '
                          'target in two frames')
    return recorder.feeds[:num_frames]


def quantize(path: str, feeds: List[Feeds], out: str) -> int:
    """Let the convolutions with fixed weights run in 8 bits.

    Weights get a scale per channel, activations one per tensor: the range
    they had in calibration. Correlations, attention, deformable convs, RoI
    pooling and linear layers stay in single precision.

    Args:
        path (str): The search graph.
        feeds (list[dict[str, ndarray]]): What to calibrate with.
        out (str): File to write; may be ``path``.

    Returns:
        int: How many convolutions.

    Raises:
        ExportError: If ``onnx`` or ``onnxruntime`` is not installed.
    """
    onnx = require('onnx')
    quantization = require('onnxruntime.quantization')

    class Reader(quantization.CalibrationDataReader):
        """Hands out the feeds, once."""

        def __init__(self) -> None:
            self._feeds = iter(feeds)

        def get_next(self) -> Optional[Feeds]:
            return next(self._feeds, None)

    model = onnx.load(path)
    fixed = {tensor.name for tensor in model.graph.initializer}
    convs = [
        node.name for node in model.graph.node
        if node.op_type == 'Conv' and node.input[1] in fixed
    ]
    with written_whole(out) as temporary, _quiet():
        quantization.quantize_static(
            path,
            temporary,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            nodes_to_quantize=convs,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8)
        quantized = onnx.load(temporary)
        del quantized.metadata_props[:]
        quantized.metadata_props.extend(model.metadata_props)
        onnx.save(quantized, temporary)
    return len(convs)


def quantize_export(config: Union[str, Config], path: str, folder: str,
                    num_frames: int) -> int:
    """Replace an exported model's search graph by its 8-bit one.

    The others, which run once a video or are small, stay as they are.

    Args:
        config (str | Config): The one that was exported.
        path (str): The search graph.
        folder (str): See :func:`calibration_feeds`.
        num_frames (int): At most, to calibrate with.

    Returns:
        int: How many convolutions became 8-bit ones.

    Raises:
        ExportError: As :func:`calibration_feeds` and :func:`quantize`.
        SequenceFolderError: If the folder holds no sequences.
    """
    from siamattn_mm.apis.tracker import init_tracker
    model = init_tracker(config, path).model
    return quantize(path, calibration_feeds(model, folder, num_frames), path)
