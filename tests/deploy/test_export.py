"""Exported graphs: standard operators, documented inputs and outputs."""
import copy

import pytest

from siamattn_mm.deploy.export import export_tracker
from siamattn_mm.deploy.files import METADATA_KEY, ExportError, Metadata

onnx = pytest.importorskip('onnx', reason='onnx is not installed')


def shapes(values):
    return {
        value.name: tuple(
            side.dim_value for side in value.type.tensor_type.shape.dim)
        for value in values
    }


def load(path):
    return (onnx.load(path.replace('.onnx', '.init.onnx')), onnx.load(path))


@pytest.mark.parametrize('variant', ['released', 'paper', 'siamrpn'])
def test_graphs_have_standard_operators_only(make_export, variant):
    for model in load(make_export(variant)):
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
        for node in load(make_export('released', choice))[1].graph.node
    } for choice in ('operator', 'grid-sample')]
    assert 'DeformConv' in operators[0]
    assert 'DeformConv' not in operators[1] and 'GridSample' in operators[1]


def test_inputs_and_outputs_are_the_documented_ones(make_export):
    template, track = load(make_export('released'))
    assert shapes(template.graph.input) == dict(template=(1, 127, 127, 3))
    state = shapes(template.graph.output)
    assert len(state) == 9
    assert state['template_feats.0'] == (1, 32, 7, 7)
    assert shapes(track.graph.input) == dict(
        state,
        search=(1, 255, 255, 3),
        last_box=(4, ),
        window_side=(1, ),
        image_size=(2, ),
        tuning=(3, ),
        bias=(4, ))
    assert shapes(track.graph.output) == dict(
        box=(4, ), score=(1, ), proposal=(4, ), mask=(64, 64), mask_box=(4, ))


def test_what_learns_from_the_video_has_inputs_and_outputs(make_export):
    inputs, outputs = (
        shapes(part) for graph in [load(make_export('mask_only'))[1].graph]
        for part in (graph.input, graph.output))
    names = list(inputs)
    assert names[5:10] == [
        'bias', 'filter_influence', 'filter', 'regressor', 'avoid'
    ]
    assert inputs['avoid'] == (8, 4)
    assert outputs['boxes'] == (4, *outputs['ranked'])
    # Bins times channels of three levels and of stage 1, and the constant.
    maps = [outputs[f'map{i}'] for i in range(4)]
    assert inputs['regressor'] == (25 * sum(m[1] for m in maps) + 1, 4)
    assert outputs['spectrum'] == inputs['filter'][1:]
    assert list(outputs) == [
        'box', 'score', 'proposal', 'spectrum', 'map0', 'map1', 'map2', 'map3',
        'boxes', 'ranked', 'best', 'mask', 'mask_box'
    ]


def test_without_a_mask_head_there_is_no_mask(make_export):
    track = load(make_export('siamrpn'))[1]
    assert list(shapes(track.graph.output)) == ['box', 'score', 'proposal']


def test_both_files_say_what_they_are(make_export, make_variant):
    found = [
        Metadata.parse({p.key: p.value
                        for p in model.metadata_props}, '')
        for model in load(make_export('released'))
    ]
    assert [metadata.graph for metadata in found] == ['template', 'track']
    assert found[0].export_id == found[1].export_id
    model = make_variant('released').config.model
    assert found[1].model['backbone'] == model.backbone.to_dict()
    assert found[1].model['test_cfg']['rpn']['lr'] == model.test_cfg.rpn.lr
    assert METADATA_KEY == 'siamattn_mm'


def test_the_config_is_not_changed(make_export, make_variant):
    make_export('released')
    assert 'fold_norms' not in make_variant('released').config.model.test_cfg


@pytest.mark.parametrize('options, name', [
    (dict(test_cfg=dict(new=1)), 'new'),
    (dict(test_cfg=dict(rpn=dict(new=1))), 'rpn.new'),
])
def test_unknown_options_of_the_tracker_are_refused(make_variant, tmp_path,
                                                    options, name):
    variant = make_variant('released')
    config = copy.deepcopy(variant.config)
    config.merge_from_dict(dict(model=options))
    with pytest.raises(ExportError, match=f'exported: {name}$'):
        export_tracker(config, variant.checkpoint, str(tmp_path / 'm.onnx'))
    assert not list(tmp_path.iterdir())


def test_another_tracker_is_refused(make_variant, repository, tmp_path):
    config = repository / 'configs/reuse/siamrpn_r50_dsa-neck.py'
    with pytest.raises(ExportError, match='SiamAttn model'):
        export_tracker(str(config), None, str(tmp_path / 'm.onnx'))
    assert not list(tmp_path.iterdir())
