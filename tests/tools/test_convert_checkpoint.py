"""The converter's command line: complete, or nothing and exit code 2."""
import json

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS
from torch.testing import assert_close

from siamattn_mm.utils import load_state_dict, load_weights

PARTS = ('backbone.', 'neck.', 'head.')


@pytest.fixture
def convert(run_tool, repository, monkeypatch, tmp_path):
    """Run the tool; returns its exit code, output and errors."""

    def run(weights, source, *args):
        src = tmp_path / 'src.pth'
        if weights is not None:
            torch.save(weights, src)
        return run_tool('convert_checkpoint', src, tmp_path / 'dst.pth',
                        '--from', source, *args)

    monkeypatch.chdir(repository)
    return run


@pytest.fixture
def small_weights(small_config):
    """What an mmtrack SiamRPN of the small model's parts would have."""
    init_default_scope('mmtrack')
    model = MODELS.build(small_config.model)
    return {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(PARTS)
    }


@pytest.fixture(scope='module')
def official(golden):
    """The released checkpoint's names and shapes, in a few bytes each."""
    shapes = json.loads((golden / 'official_state_dict.json').read_text())
    return {
        name: torch.zeros(1).expand(shape) if shape else torch.tensor(0)
        for name, shape in shapes.items()
    }


def test_initialisation_from_mmtrack(convert, small_weights, small_config_path,
                                     tmp_path):
    code, out, err = convert(
        dict(state_dict=small_weights), 'mmtrack', '--config',
        small_config_path)
    assert (code, err) == (0, '')
    assert f'{len(small_weights)} weights of a mmtrack checkpoint' in out
    # What it does not hold is said, by part.
    assert 'stay as initialised' in out
    for part in ('siamese_neck.levels', 'refine_head.box_head'):
        assert part in out

    path = str(tmp_path / 'dst.pth')
    assert load_weights(path)['meta'] == dict(converted_from='mmtrack')
    found = load_state_dict(path)
    assert set(found) == set(small_weights)
    for name, value in small_weights.items():
        assert_close(found[name], value)


def test_converted_weights_initialise_a_model(convert, small_weights,
                                              small_config_path, tmp_path):
    convert(small_weights, 'mmtrack', '--config', small_config_path)
    cfg = Config.fromfile(str(small_config_path)).model
    cfg.init_cfg = dict(
        type='Pretrained', checkpoint=str(tmp_path / 'dst.pth'))
    model = MODELS.build(cfg)
    model.init_weights()
    for name, value in small_weights.items():
        assert_close(model.state_dict()[name], value)


def test_the_released_checkpoint_fills_the_released_model(
        convert, official, tmp_path):
    code, out, err = convert(dict(state_dict=official), 'siamattn')
    assert (code, err) == (0, '')
    assert '645 weights' in out and 'stay as initialised' not in out
    found = load_state_dict(str(tmp_path / 'dst.pth'))
    assert len(found) == len(official)
    assert found['refine_head.mask_head.roi_layer.offset_fc.0.weight'
                 ].shape == (1024, 256 * 16 * 16)


def test_all_problems_at_once_and_no_file(convert, official, tmp_path):
    weights = dict(official)
    weights['mask_head.extra.weight'] = torch.zeros(3, 2)
    weights['rpn_head.cls_weight'] = torch.zeros(4)
    del weights['feature_enhance.pams.1.gamma']
    code, out, err = convert(dict(state_dict=weights), 'siamattn')
    assert (code, out) == (2, '')
    assert 'src.pth: 3 weights do not fit' in err
    assert 'no place for: mask_head.extra.weight (3, 2)' in err
    assert 'shape of head.cls_weight: (4,), but the model has (3,)' in err
    assert 'missing: siamese_neck.levels.1.spatial.alpha (1,)' in err
    assert [path.name for path in tmp_path.iterdir()] == ['src.pth']


def test_a_failure_keeps_an_older_result(convert, small_weights,
                                         small_config_path, tmp_path):
    (tmp_path / 'dst.pth').write_bytes(b'older')
    small_weights.pop('head.cls_weight')
    code, _, err = convert(small_weights, 'mmtrack', '--config',
                           small_config_path)
    assert code == 2 and 'missing: head.cls_weight (3,)' in err
    assert (tmp_path / 'dst.pth').read_bytes() == b'older'


def test_missing_checkpoint(convert, small_config_path, tmp_path):
    code, _, err = convert(None, 'mmtrack', '--config', small_config_path)
    assert code == 2 and 'src.pth' in err and 'does not exist' in err
    assert not list(tmp_path.iterdir())


def test_code_in_a_checkpoint_is_not_run(convert, small_config_path,
                                         tmp_path):
    marker = tmp_path / 'code_ran'

    class Payload:

        def __reduce__(self):
            return open, (str(marker), 'w')

    code, _, err = convert(
        dict(state_dict=Payload()), 'pysot', '--config', small_config_path)
    assert code == 2 and 'holds more than tensors' in err
    assert not marker.exists()


def test_missing_config(convert, small_weights):
    code, _, err = convert(small_weights, 'mmtrack', '--config', 'missing.py')
    assert code == 2 and 'missing.py' in err


def test_unknown_source_names_the_known_ones(convert, small_weights):
    code, _, message = convert(small_weights, 'darknet')
    assert code == 2
    for source in ('mmtrack', 'pysot', 'siamattn'):
        assert source in message
