"""Exported models with NaN or infinite weights are refused."""
import shutil

import numpy as np
import pytest

from siamattn_mm.apis import init_tracker
from siamattn_mm.deploy import ExportError
from siamattn_mm.deploy.finite import check_finite_graph

onnx = pytest.importorskip('onnx', reason='onnx is not installed')


@pytest.fixture
def save(tmp_path):
    """A graph that adds ``weight`` and clips by ``bound``; gives its path."""

    def save(weight, bound, as_constant=False):
        helper, tensor = onnx.helper, onnx.numpy_helper.from_array
        kind = onnx.TensorProto.FLOAT
        weight = tensor(np.array(weight, np.float32), 'weight')
        nodes = [
            helper.make_node('Add', ['x', 'weight'], ['y']),
            helper.make_node('Max', ['y', 'bound'], ['z'])
        ]
        stored = [tensor(np.float32(bound), 'bound')]
        if as_constant:
            nodes.insert(0, helper.make_node(
                'Constant', [], ['weight'], value=weight))
        else:
            stored.append(weight)
        graph = helper.make_graph(
            nodes, 'graph', [helper.make_tensor_value_info('x', kind, [2])],
            [helper.make_tensor_value_info('z', kind, [2])], stored)
        path = str(tmp_path / 'graph.onnx')
        onnx.save(helper.make_model(graph), path)
        return path

    return save


@pytest.mark.parametrize('as_constant', [False, True])
@pytest.mark.parametrize('number', [np.nan, np.inf, -np.inf])
def test_weights(save, number, as_constant):
    path = save([1, number], 0, as_constant)
    with pytest.raises(ExportError, match='graph.onnx.*infinite.*in weight:'):
        check_finite_graph(path)


def test_a_bound_may_be_infinite_but_not_nan(save):
    check_finite_graph(save([1, 2], -np.inf))
    with pytest.raises(ExportError, match='numbers in bound:'):
        check_finite_graph(save([1, 2], np.nan))


def test_other_files_are_left_to_the_runtime(tmp_path):
    (tmp_path / 'a.onnx').write_bytes(b'no graph')
    check_finite_graph(str(tmp_path / 'a.onnx'))


@pytest.mark.parametrize('suffix', ['.onnx', '.init.onnx'])
def test_an_exported_tracker(make_variant, make_export, tmp_path, suffix):
    pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')
    source = make_export('siamrpn')
    for name in ('.onnx', '.init.onnx'):
        shutil.copy(source.replace('.onnx', name), tmp_path / f'm{name}')
    path = str(tmp_path / f'm{suffix}')
    model = onnx.load(path)
    weight = max(model.graph.initializer, key=lambda w: len(w.raw_data))
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[5] = np.nan
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, path)
    with pytest.raises(ExportError, match=f'm{suffix}.*NaN.*{weight.name}'):
        init_tracker(
            make_variant('siamrpn').config, str(tmp_path / 'm.onnx'))
