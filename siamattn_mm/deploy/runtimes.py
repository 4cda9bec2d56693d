"""What runs an ONNX file: one small class per runtime, one interface."""
import os
import threading
from typing import Any, Callable, Dict, Mapping, Tuple

import numpy as np
import torch

from .files import METADATA_KEY, ExportError, check_exists, require
from .finite import check_finite_graph

Arrays = Dict[str, np.ndarray]


class _Reopened:
    """A graph that is copied and pickled as the name of its file."""
    entries: Dict[str, str]

    def _remember(self, name: str, path: str, num_threads: int,
                  precision: str) -> None:
        # Another process may have another folder.
        self._origin = name, os.path.abspath(path), num_threads, precision

    def __reduce__(self) -> Tuple[Callable, tuple]:
        return _reopen, (*self._origin, self.entries)


class OnnxRuntimeGraph(_Reopened):
    """A graph in onnxruntime, on the CPU.

    Args:
        path (str): ONNX file.
        num_threads (int): As many as PyTorch uses.
        precision (str): Only ``'fp32'``. Defaults to 'fp32'.

    Attributes:
        inputs (tuple[str]): Names.
        entries (dict[str, str]): The file's metadata.

    Raises:
        ExportError: If ``precision`` is another one.
    """

    def __init__(self,
                 path: str,
                 num_threads: int,
                 precision: str = 'fp32') -> None:
        runtime = require('onnxruntime')
        if precision != 'fp32':
            raise ExportError(f'onnxruntime has no {precision} on a CPU: take '
                              'runtime openvino, or precision fp32')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.log_severity_level = 3
        # A peaked softmax is full of subnormal numbers, which are slow.
        options.add_session_config_entry('session.set_denormal_as_zero', '1')
        self._session = runtime.InferenceSession(
            path, options, providers=['CPUExecutionProvider'])
        self.inputs = tuple(i.name for i in self._session.get_inputs())
        self._outputs = [o.name for o in self._session.get_outputs()]
        self.entries = dict(
            self._session.get_modelmeta().custom_metadata_map)
        self._remember('onnxruntime', path, num_threads, precision)

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """Run the graph.

        Args:
            feeds (Mapping[str, ndarray]): At least its inputs.

        Returns:
            dict[str, ndarray]: Its outputs.
        """
        outputs = self._session.run(
            self._outputs, {name: feeds[name]
                            for name in self.inputs})
        return dict(zip(self._outputs, outputs))


def _openvino_deform_conv(node: Any) -> Any:
    """ONNX's ``DeformConv``, which OpenVINO's reader does not know."""
    opset = require('openvino.opset8')
    data, weight, offset = (node.get_input(i) for i in range(3))
    pads = node.get_attribute('pads')
    return opset.deformable_convolution(
        data,
        offset,
        weight,
        node.get_attribute('strides'),
        pads[:2],
        pads[2:],
        node.get_attribute('dilations'),
        bilinear_interpolation_pad=True).outputs()


_OPENVINO_TYPES = {'fp32': 'f32', 'bf16': 'bf16'}


class OpenVINOGraph(_Reopened):
    """A graph in OpenVINO, on the CPU.

    Args:
        path (str): ONNX file.
        num_threads (int): As many as PyTorch uses.
        precision (str): ``'fp32'``, or ``'bf16'`` for what OpenVINO can do
            with it. Defaults to 'fp32'.

    Attributes:
        inputs (tuple[str]): Names.
        entries (dict[str, str]): The file's metadata.
    """

    def __init__(self,
                 path: str,
                 num_threads: int,
                 precision: str = 'fp32') -> None:
        openvino = require('openvino')
        frontend = require('openvino.frontend.onnx')
        core = openvino.Core()
        core.add_extension(
            frontend.ConversionExtension('DeformConv', _openvino_deform_conv))
        model = core.read_model(path)
        # Compiling may give an input the name of what is computed from it.
        self.inputs = tuple(i.get_any_name() for i in model.inputs)
        compiled = core.compile_model(
            model, 'CPU', {
                'INFERENCE_NUM_THREADS': num_threads,
                'INFERENCE_PRECISION_HINT': _OPENVINO_TYPES[precision],
                'PERFORMANCE_HINT': 'LATENCY',
                'CPU_DENORMALS_OPTIMIZATION': True
            })
        # A tensor has the graph's name for it, and maybe its operator's too.
        self._outputs = [o.get_names() for o in compiled.outputs]
        self._compiled = compiled
        # A request runs once at a time.
        self._requests = threading.local()
        self.entries = {}
        if model.has_rt_info(['framework', METADATA_KEY]):
            entry = model.get_rt_info(['framework', METADATA_KEY])
            self.entries[METADATA_KEY] = entry.astype(str)
        self._remember('openvino', path, num_threads, precision)

    def __call__(self, feeds: Mapping[str, np.ndarray]) -> Arrays:
        """Run the graph.

        Args:
            feeds (Mapping[str, ndarray]): At least its inputs. What is in
                an array is not to be changed afterwards.

        Returns:
            dict[str, ndarray]: Its outputs, until the next call in this
            thread.
        """
        own = self._requests
        if not hasattr(own, 'request'):
            own.request = self._compiled.create_infer_request()
            own.fed = {}
        # A template is the same in every frame, and to hand an array over
        # takes a while.
        fed = {index: feeds[name] for index, name in enumerate(self.inputs)}
        before, own.fed = own.fed, {}
        outputs = own.request.infer(
            {
                index: array
                for index, array in fed.items()
                if array is not before.get(index)
            },
            share_inputs=True,
            share_outputs=True)
        own.fed = fed
        return {
            name: array
            for names, array in zip(self._outputs, outputs.values())
            for name in names
        }


RUNTIMES = {'onnxruntime': OnnxRuntimeGraph, 'openvino': OpenVINOGraph}


def open_graph(path: str,
               runtime: str = 'onnxruntime',
               precision: str = 'fp32') -> Any:
    """Load a graph.

    Args:
        path (str): ONNX file.
        runtime (str): A key of ``RUNTIMES``. Defaults to 'onnxruntime'.
        precision (str): ``'fp32'`` or ``'bf16'``. Defaults to 'fp32'.

    Returns:
        OnnxRuntimeGraph | OpenVINOGraph: Call it with named arrays.

    Raises:
        ExportError: If the runtime is unknown or not installed, or the file
            does not exist or cannot be read.
    """
    if runtime not in RUNTIMES:
        raise ExportError(f'runtime must be one of {sorted(RUNTIMES)}, but '
                          f'got {runtime!r}')
    return _open(runtime, os.fspath(path), torch.get_num_threads(), precision)


def _open(runtime: str, path: str, num_threads: int, precision: str) -> Any:
    check_exists(path)
    check_finite_graph(path)
    try:
        return RUNTIMES[runtime](path, num_threads, precision)
    except ExportError:
        raise
    except Exception as error:  # each runtime has its own kinds
        reason = str(error).strip().splitlines()
        raise ExportError(f'{runtime} cannot read {path!r}: '
                          f'{reason[0] if reason else error!r}') from error


def _reopen(runtime: str, path: str, num_threads: int, precision: str,
            entries: Dict[str, str]) -> Any:
    """Open a graph's file again, if it is still the same export."""
    graph = _open(runtime, path, num_threads, precision)
    if graph.entries != entries:
        raise ExportError(f'{path!r} is another export than when the tracker '
                          'was pickled')
    return graph
