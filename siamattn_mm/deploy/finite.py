"""Refuse exported models with which nothing can be computed."""
import numpy as np

from .files import ExportError


def check_finite_graph(path: str) -> None:
    """Look for NaN and infinite numbers in a graph's weights.

    Without the package ``onnx``, or if it cannot read the file, nothing is
    said here: the runtime reads the file next.

    Args:
        path (str): ONNX file.

    Raises:
        ExportError: Naming the first weight with such a number.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        return
    try:
        graph = onnx.load(path).graph
        weights = list(graph.initializer)
        for node in graph.node:
            if node.op_type == 'Constant':
                weights += [a.t for a in node.attribute if a.HasField('t')]
    except Exception:  # protobuf has kinds of its own
        return
    for weight in weights:
        # A lone infinity is a bound, as of a clip, and no weight.
        values = numpy_helper.to_array(weight)
        if values.dtype.kind != 'f' or values.size == 1 and not np.isnan(
                values).any():
            continue
        if not np.isfinite(values).all():
            raise ExportError(
                f'{path!r} holds NaN or infinite numbers in '
                f'{weight.name or "a constant"}: did the training diverge?')
