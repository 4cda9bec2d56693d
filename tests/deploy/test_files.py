"""What exported files say, and which are refused."""
import pytest

from siamattn_mm.deploy.export import export_tracker
from siamattn_mm.deploy.files import (
    METADATA_KEY,
    ExportError,
    Metadata,
    describe,
    differences,
    graph_path,
    is_exported,
    require,
)
from siamattn_mm.models.task_modules import build_parts
from siamattn_mm.models.trackers import TrackingConfig


def test_metadata_survives_a_file():
    metadata = Metadata('search', ('search', 'template'), '1.0', 'abc',
                        dict(type='SiamAttn', n=[1]))
    entries = {METADATA_KEY: metadata.dump(), 'other': 'x'}
    assert Metadata.parse(entries, 'a.onnx') == metadata


@pytest.mark.parametrize('entries', [{}, {METADATA_KEY: '{'},
                                     {METADATA_KEY: '{"graph": "track"}'},
                                     {METADATA_KEY: '3'}])
def test_other_files_are_named(entries):
    with pytest.raises(ExportError, match='a.onnx.*siamattn export'):
        Metadata.parse(entries, 'a.onnx')


def test_files_of_an_older_version_are_to_be_exported_anew():
    entries = {
        METADATA_KEY:
        '{"graph": "track", "version": "0.9", "export_id": "x", "model": {}}'
    }
    with pytest.raises(ExportError, match='a.onnx.*version 0.9.*export anew'):
        Metadata.parse(entries, 'a.onnx')


def test_the_other_graphs_lie_beside():
    assert graph_path('d/m.onnx', 'search') == 'd/m.onnx'
    assert graph_path('m.onnx', 'template') == 'm.init.onnx'
    assert graph_path('m.onnx', 'mask') == 'm.mask.onnx'
    for wrong in ('m.pth', 'm.init.onnx', 'm.box.onnx', 'm'):
        with pytest.raises(ExportError, match='NAME.onnx'):
            graph_path(wrong, 'search')
    assert is_exported('m.onnx') and not is_exported('m.pth')


@pytest.mark.parametrize('track, template', [
    ('m.ONNX', 'm.INIT.ONNX'), ('m.ONNX', 'm.init.onnx'),
    ('m.Onnx', 'm.init.Onnx'), ('m.onnx', 'm.INIT.ONNX')
])
def test_the_suffix_may_be_in_any_case(tmp_path, track, template):
    assert is_exported(track) and is_exported(tmp_path / track)
    path = str(tmp_path / track)
    assert graph_path(path, 'template') == str(tmp_path / 'm.init.onnx')
    (tmp_path / template).touch()
    assert graph_path(path, 'template') == str(tmp_path / template)
    with pytest.raises(ExportError, match='NAME.onnx'):
        graph_path(str(tmp_path / template), 'search')


def described(model, online=(), **test_cfg):
    rpn = dict(penalty_k=0., window_influence=0., lr=test_cfg.pop('lr', 1.))
    return describe(
        model, TrackingConfig.from_cfg(dict(test_cfg, rpn=rpn)),
        build_parts(online))


def test_networks_differ_where_weights_would():
    first = described(
        dict(type='X', head=dict(type='A', in_channels=(1, 2)), neck=None))
    same = described(
        dict(
            head=dict(
                type='A',
                in_channels=[1, 2],
                init_cfg=3,
                loss_iou=dict(type='BoxGIoULoss'),
                loss_teacher=dict(type='TeacherBoxLoss')),
            train_cfg=dict(rpn=1)),
        lr=2., min_size=5, exact_crop=True)
    assert differences(first, same) == []
    other = described(
        dict(head=dict(type='A', in_channels=[1, 3]), neck=dict()),
        search_size=271, refine=dict(box=False))
    assert differences(first, other) == [
        'model.head.in_channels', 'model.neck', 'model.test_cfg.refine.box',
        'model.test_cfg.search_size'
    ]


def test_what_parts_take_from_the_network_has_to_be_there():
    exported = described({}, [
        dict(type='CorrelationFilter', influence=.3),
        dict(type='RidgeBoxRegressor')
    ])
    # Fewer, others that take nothing, and other arguments do no harm.
    for online in ([], [dict(type='CorrelationFilter', influence=.6)],
                   [dict(type='TargetPresence')]):
        assert differences(exported, described({}, online)) == []
    other = described({}, [dict(type='CorrelationFilter', levels=(1, ))])
    assert differences(exported, other) == [
        'model.online.CorrelationFilter.levels']
    assert differences(described({}), exported) == [
        'model.online.CorrelationFilter', 'model.online.RidgeBoxRegressor']


def test_a_missing_package_is_named():
    with pytest.raises(ExportError, match='no_such.*requirements/deploy.txt'):
        require('no_such_package')


def test_a_torch_that_cannot_export_is_refused(monkeypatch, tmp_path,
                                               small_config):
    """Before anything else, and in one line; see the official line."""
    monkeypatch.setattr('siamattn_mm.deploy.export.newest_onnx_opset',
                        lambda: 18)
    with pytest.raises(ExportError, match='version 19.*up to 18') as error:
        export_tracker(small_config, None, str(tmp_path / 'a.onnx'))
    assert '\n' not in str(error.value) and not list(tmp_path.iterdir())
