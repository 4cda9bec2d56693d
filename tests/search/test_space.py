"""Tests of siamattn_mm.search.space and config_file."""
import pytest
from mmengine.config import Config

from siamattn_mm.search import (
    Parameter,
    get_value,
    make_space,
    set_values,
    write_config,
)

CFG = dict(size=255, name='x', rpn=dict(lr=0.4, penalty_k=0.04),
           refine=dict(mask_thr=0.3))


def test_names_are_looked_up():
    space = make_space(CFG, {'lr': (0.1, 0.9), 'refine.mask_thr': (0.5, 0.8)})
    assert space == [
        Parameter('rpn.lr', 0.1, 0.9, 0.4),
        # Widened, so that the config's own value can be tried.
        Parameter('refine.mask_thr', 0.3, 0.8, 0.3)]


@pytest.mark.parametrize('ranges, message', [
    (dict(no=(0, 1)), "no number 'no'; it has size, rpn.lr, rpn.penalty_k, r"),
    (dict(name=(0, 1)), "no number 'name'"),
    ({'rpn.lr.x': (0, 1)}, 'no number'),
    (dict(lr=(1, 0)), "range of 'lr' must be two numbers"),
    (dict(lr=(0, float('nan'))), "range of 'lr' must be two numbers"),
    (dict(lr=(0, 1, 2)), "range of 'lr' must be two numbers"),
    ({'lr': (0, 1), 'rpn.lr': (0, 1)}, "'rpn.lr' is given twice"),
    (dict(mask_th=(0, 1)), "'mask_th'; did you mean 'refine.mask_thr'"),
    (dict(hold_score=(0, 1)), "list model.online: dict.type='TargetPresence'"),
    ({}, 'space is empty'),
])
def test_mistakes(ranges, message):
    with pytest.raises(ValueError, match=message):
        make_space(CFG, ranges)


def test_the_model_and_its_head_are_told(model):
    set_values(model, {'rpn.lr': 0.7, 'rpn.penalty_k': 0.2,
                       'refine.mask_thr': 0.6})
    assert model.test_cfg.rpn.lr == 0.7
    assert model.head.test_cfg.penalty_k == 0.2
    assert model.test_cfg.refine.mask_thr == 0.6


def test_config_inherits(tmp_path, small_config_path):
    path = tmp_path / 'deep' / 'found.py'
    values = {'rpn.lr': 0.71, 'rpn.penalty_k': 0.0, 'refine.mask_thr': 0.55}
    write_config(str(path), str(small_config_path), values, ['One.', 'Two.'])
    assert path.read_text().startswith('# One.\n# Two.\n_base_ = [')
    found = Config.fromfile(str(path)).model
    assert {key: get_value(found.test_cfg, key) for key in values} == values
    base = Config.fromfile(str(small_config_path)).model
    for key in values:
        *_, name = key.split('.')
        group = key.split('.')[0]
        base.test_cfg[group][name] = values[key]
    assert found == base
    assert [p.name for p in path.parent.iterdir()] == ['found.py']
