"""Exported graphs: standard operators, documented inputs and outputs."""
from pathlib import Path

import pytest

from siamattn_mm.deploy.export import export_tracker, trace_graphs
from siamattn_mm.deploy.files import METADATA_KEY, ExportError, Metadata

onnx = pytest.importorskip('onnx', reason='onnx is not installed')


def shapes(values):
    return {
        value.name: tuple(
            side.dim_value for side in value.type.tensor_type.shape.dim)
        for value in values
    }


def load(path, kinds=('init', 'box', 'mask')):
    """The search graph, then the others."""
    return [onnx.load(path)] + [
        onnx.load(path.replace('.onnx', f'.{kind}.onnx')) for kind in kinds
    ]


KINDS = dict(
    released=('init', 'box', 'mask'),
    paper=('init', 'box', 'mask'),
    mask_only=('init', 'mask'),
    siamrpn=('init', ))


@pytest.mark.parametrize('variant', sorted(KINDS))
def test_graphs_have_standard_operators_only(make_export, variant):
    path = make_export(variant)
    assert len(list(Path(path).parent.iterdir())) == 1 + len(KINDS[variant])
    for model in load(path, KINDS[variant]):
        onnx.checker.check_model(model, full_check=True)
        assert [o.domain for o in model.opset_import] == ['']
        assert model.opset_import[0].version == 19
        assert {node.domain for node in model.graph.node} <= {''}
        assert not {node.op_type for node in model.graph.node} & {
            'Loop', 'If', 'Scan', 'BatchNormalization'
        }


def test_grid_sampling_takes_the_place_of_deform_conv(make_export):
    operators = [{
        node.op_type
        for node in load(make_export('released', choice))[0].graph.node
    } for choice in ('operator', 'grid-sample')]
    assert 'DeformConv' in operators[0]
    assert 'DeformConv' not in operators[1] and 'GridSample' in operators[1]


def test_inputs_and_outputs_are_the_documented_ones(make_export):
    search, template, box, mask = load(make_export('released'))
    assert shapes(template.graph.input) == dict(template=(1, 127, 127, 3))
    state = shapes(template.graph.output)
    assert len(state) == 9
    assert state['template_feats.0'] == (1, 32, 7, 7)
    assert shapes(search.graph.input) == dict(
        state, search=(1, 255, 255, 3))
    outputs = shapes(search.graph.output)
    assert outputs == dict(
        cls_score=(1, 10, 26, 26),
        bbox_pred=(1, 20, 26, 26),
        fused_box=(1, 26, 26, 32),
        fused_mask=(1, 64, 64, 32))
    assert shapes(box.graph.input) == dict(
        fused_box=outputs['fused_box'], box=(1, 4))
    assert shapes(box.graph.output) == dict(refined=(1, 4))
    assert shapes(mask.graph.input) == dict(
        fused_mask=outputs['fused_mask'], roi=(1, 5))
    assert shapes(mask.graph.output) == dict(mask=(1, 64, 64))


def test_what_learns_from_the_video_has_outputs(make_export):
    search = load(make_export('mask_only'), ['init', 'mask'])[0]
    outputs = shapes(search.graph.output)
    assert list(outputs) == [
        'cls_score', 'bbox_pred', 'CorrelationFilter.0',
        *(f'RidgeBoxRegressor.{i}' for i in range(4)), 'fused_mask'
    ]
    assert outputs['CorrelationFilter.0'] == (1, 96, 32, 17, 2)


def test_all_files_say_what_they_are(make_export, make_variant):
    found = [
        Metadata.parse({p.key: p.value
                        for p in model.metadata_props}, '')
        for model in load(make_export('released'))
    ]
    assert [metadata.graph for metadata in found] == [
        'search', 'template', 'box', 'mask']
    assert len({metadata.export_id for metadata in found}) == 1
    assert set(found[0].kinds) == {'search', 'template', 'box', 'mask'}
    model = make_variant('released').config.model
    assert found[1].model['backbone'] == model.backbone.to_dict()
    # Nothing that can be changed later.
    assert 'rpn' not in found[1].model['test_cfg']
    assert METADATA_KEY == 'siamattn_mm'


def test_the_model_is_not_changed(make_variant):
    model = make_variant('siamrpn').tracker().model
    kinds = [type(module) for module in model.modules()]
    assert trace_graphs(model).keys() == {'search', 'template'}
    assert [type(module) for module in model.modules()] == kinds
    assert model.paths.folded


def test_another_tracker_is_refused(make_variant, repository, tmp_path):
    config = repository / 'configs/reuse/siamrpn_r50_dsa-neck.py'
    with pytest.raises(ExportError, match='SiamAttn model'):
        export_tracker(str(config), None, str(tmp_path / 'm.onnx'))
    assert not list(tmp_path.iterdir())
