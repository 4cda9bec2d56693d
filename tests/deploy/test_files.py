"""What exported files say, and which are refused."""
import pytest

from siamattn_mm.deploy.export import export_tracker
from siamattn_mm.deploy.files import (
    METADATA_KEY,
    ExportError,
    Metadata,
    differences,
    is_exported,
    plain,
    require,
    template_path,
)


def test_metadata_survives_a_file():
    metadata = Metadata('track', '1.0', 'abc', dict(type='SiamAttn', n=[1]))
    entries = {METADATA_KEY: metadata.dump(), 'other': 'x'}
    assert Metadata.parse(entries, 'a.onnx') == metadata


@pytest.mark.parametrize('entries', [{}, {METADATA_KEY: '{'},
                                     {METADATA_KEY: '{"graph": "track"}'},
                                     {METADATA_KEY: '3'}])
def test_other_files_are_named(entries):
    with pytest.raises(ExportError, match='a.onnx.*tools/export.py'):
        Metadata.parse(entries, 'a.onnx')


def test_the_template_lies_beside():
    assert template_path('d/m.onnx') == 'd/m.init.onnx'
    for wrong in ('m.pth', 'm.init.onnx', 'm'):
        with pytest.raises(ExportError, match='NAME.onnx'):
            template_path(wrong)
    assert is_exported('m.onnx') and not is_exported('m.pth')


@pytest.mark.parametrize('track, template', [
    ('m.ONNX', 'm.INIT.ONNX'), ('m.ONNX', 'm.init.onnx'),
    ('m.Onnx', 'm.init.Onnx'), ('m.onnx', 'm.INIT.ONNX')
])
def test_the_suffix_may_be_in_any_case(tmp_path, track, template):
    assert is_exported(track) and is_exported(tmp_path / track)
    path = str(tmp_path / track)
    assert template_path(path) == str(tmp_path / 'm.init.onnx')
    (tmp_path / template).touch()
    assert template_path(path) == str(tmp_path / template)
    with pytest.raises(ExportError, match='NAME.onnx'):
        template_path(str(tmp_path / template))


def test_networks_differ_where_weights_would():
    first = plain(dict(head=dict(type='A', in_channels=(1, 2)), neck=None))
    same = plain(
        dict(
            head=dict(type='A', in_channels=[1, 2], init_cfg=3),
            train_cfg=dict(rpn=1),
            test_cfg=dict(rpn=dict(lr=2))))
    first['test_cfg'] = dict(rpn=dict(lr=1))
    assert differences(first, same) == []
    other = plain(
        dict(
            head=dict(type='A', in_channels=[1, 3]),
            neck=dict(),
            test_cfg=dict(rpn=dict(lr=1, new=2))))
    assert differences(first, other) == [
        'model.head.in_channels', 'model.neck', 'model.test_cfg.rpn.new'
    ]


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
