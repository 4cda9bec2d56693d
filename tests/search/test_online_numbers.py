"""Numbers of the parts that learn from the video, searched and written."""
import copy

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS, TASK_UTILS

from siamattn_mm.models.task_modules import OnlinePart
from siamattn_mm.search import (
    Parameter,
    RefusedValueError,
    get_value,
    make_space,
    set_values,
    write_config,
)

CFG = dict(rpn=dict(lr=0.4, penalty_k=0.04))
ONLINE = [
    dict(type='BoxCalibration', share=0.5),
    dict(type='CorrelationFilter', influence=0.6, levels=(0, 2),
         supports=[1., None]),
    dict(type='DistractorAssociation'),
    dict(type='TargetPresence', hold_score=0.3)
]
INFLUENCE = 'online.CorrelationFilter.influence'
HOLD = 'online.TargetPresence.hold_score'
FRAMES = 'online.TargetPresence.lost_after'


@pytest.fixture
def online_config(tmp_path, small_config_path):
    """The tiny model's config with four parts, as a file."""
    path = tmp_path / 'with_parts.py'
    path.write_text(f'_base_ = {str(small_config_path)!r}\n'
                    f'model = dict(online={ONLINE!r})\n')
    return path


@pytest.fixture
def online_model(online_config):
    return build(online_config)


def build(path):
    init_default_scope('mmtrack')
    return MODELS.build(Config.fromfile(str(path)).model).eval()


def numbers_of(model):
    """All that the parts hold."""
    return {part.name: dict(vars(part)) for part in model.online}


def test_parts_are_looked_up_by_their_types():
    space = make_space(CFG, {
        INFLUENCE: (0.1, 0.5),  # widened
        'hold_score': (0.1, 0.9),
        'lr': (0, 1),
        # Not in the config: what the argument's default is.
        'online.DistractorAssociation.gate': (0.5, 0.7),
        'lost_after': (1., 6.),
    }, ONLINE)
    assert space == [
        Parameter(INFLUENCE, 0.1, 0.6, 0.6),
        Parameter(HOLD, 0.1, 0.9, 0.3),
        Parameter('rpn.lr', 0., 1., 0.4),
        Parameter('online.DistractorAssociation.gate', 0.5, 0.7, 0.6),
        Parameter(FRAMES, 1, 6, 3, whole=True)
    ]
    assert isinstance(space[-1].low, int) and isinstance(space[-1].high, int)


@pytest.mark.parametrize('name, limits, message', [
    ('online.CorelationFilter.influence', (0, 1),
     "no part 'CorelationFilter' .in 'online.CorelationFilter.influence'.; "
     "did you mean 'online.CorrelationFilter.influence'. it has BoxCalibrat"
     'ion, Corr'),
    ('online.CorrelationFilter.influense', (0, 1),
     "no number 'influense' .in 'online.CorrelationFilter.influense'.; did you"
     " mean 'online.CorrelationFilter.influence'. it has influence, stride, "),
    ('online.CorrelationFilter.levels', (0, 1), "has no number 'levels'"),
    ('online.CorrelationFilter.type', (0, 1), "has no number 'type'"),
    ('online.CorrelationFilter', (0, 1), "no number ''|no part ''"),
    ('CorrelationFilter.influence', (0, 1),
     "did you mean 'online.CorrelationFilter.influence'"),
    ('influense', (0, 1),
     "did you mean 'online.CorrelationFilter.influence'. it has rpn.lr, "
     r'rpn.penalty_k; nor has model.online, which has BoxCalibration \(share'),
    ('filter_influence', (0, 1), r"list model.online: dict\(type='Correl"),
    ('min_score', (0, 1), "'min_score' may be online.CorrelationFilter.min_sc"
     'ore or online.DistractorAssociation.min_score'),
    (INFLUENCE, (0, 1.5), f"range of '{INFLUENCE}' is too wide:.*influence "
     'must be in 0..1, but got 1.5'),
    ('share', (-1, 1), "range of 'share' is too wide:.*must be in 0..1"),
    ('lost_after', (1, 2.5), "range of 'lost_after' must be two whole"),
    (INFLUENCE, (1, 0), 'the lower one first'),
])
def test_mistakes(name, limits, message):
    with pytest.raises(ValueError, match=message):
        make_space(CFG, {name: limits}, ONLINE)


def test_without_parts():
    with pytest.raises(ValueError, match='CorrelationFilter.*none at all'):
        make_space(CFG, {INFLUENCE: (0, 1)})


def test_given_twice():
    with pytest.raises(ValueError, match=f"'{INFLUENCE}' is given twice"):
        make_space(CFG, {'influence': (0, 1), INFLUENCE: (0, 1)}, ONLINE)


def test_the_built_part_gets_them(online_model):
    before, parts = numbers_of(online_model), online_model.online
    set_values(online_model, {INFLUENCE: 0.25, 'rpn.lr': 0.9, FRAMES: 5},
               ONLINE)
    assert online_model.test_cfg.rpn.lr == 0.9
    expected = copy.deepcopy(before)
    expected['CorrelationFilter']['influence'] = 0.25
    expected['TargetPresence']['lost_after'] = 5
    assert numbers_of(online_model) == expected
    # What has no new number is the same; next time, the config's count again.
    assert online_model.online[0] is parts[0]
    set_values(online_model, {INFLUENCE: 0.6, FRAMES: 3}, ONLINE)
    assert numbers_of(online_model) == before


def test_numbers_that_depend_on_it_follow(online_model):
    # Left out in the config, these two are made of hold_score.
    set_values(online_model, {HOLD: 0.7}, ONLINE)
    presence = online_model.online[-1]
    assert presence.recover_score == presence.confirm_score == 0.7


def test_the_next_video_is_tracked_with_them(online_model):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (3, 64, 96, 3), np.uint8)

    def track():
        session = online_model.new_session()
        session.start(frames[0], (30, 20, 24, 20))
        return [session.step(frame) for frame in frames[1:]]

    held = {}
    for score in (0., 1., 0.):
        set_values(online_model, {
            HOLD: score, FRAMES: 1,
            'online.TargetPresence.confirm_frames': 99}, ONLINE)
        held[score] = [result.lost for result in track()]
    assert held == {0.: [False] * 2, 1.: [True] * 2}


def test_a_part_may_refuse_them(online_model):
    before = numbers_of(online_model)
    with pytest.raises(RefusedValueError,
                       match=f'^{INFLUENCE}=1.5: .*must be in 0..1'):
        set_values(online_model, {INFLUENCE: 1.5}, ONLINE)
    assert numbers_of(online_model) == before


def test_parts_without_annotations_and_with_keywords():

    @TASK_UTILS.register_module()
    class Plain(OnlinePart):

        def __init__(self, level=0, least=0.5, **more):
            self.level, self.least = level, least

    try:
        online = [dict(type='Plain', other=3.)]
        assert get_value(CFG, 'online.Plain.least', online) == 0.5
        space = make_space(CFG, dict(level=(0, 2), other=(1, 5)), online)
    finally:
        TASK_UTILS.module_dict.pop('Plain')
    assert [p.whole for p in space] == [True, False]


@pytest.mark.parametrize('values', [
    {INFLUENCE: 0.25, FRAMES: 5, 'rpn.lr': 0.71, 'refine.mask_thr': 0.55},
    {INFLUENCE: 0.25, 'online.DistractorAssociation.gate': 0.7},
    {'rpn.lr': 0.71},
])
def test_the_config_has_them_and_all_else(tmp_path, online_config, values):
    path = tmp_path / 'deep' / 'found.py'
    write_config(str(path), str(online_config), values, ['Found.'])
    assert max(map(len, path.read_text().splitlines())) < 80
    found = Config.fromfile(str(path)).model
    assert {
        key: get_value(found.test_cfg, key, found.online)
        for key in values
    } == values
    # The same as options on the command line.
    expected = Config.fromfile(str(online_config))
    names = [part['type'] for part in ONLINE]
    for key, value in values.items():
        if key.startswith('online.'):
            _, name, argument = key.split('.')
            expected.model.online[names.index(name)][argument] = value
        else:
            expected.merge_from_dict({f'model.test_cfg.{key}': value})
    assert found == expected.model
    model = build(path)
    changed = build(online_config)
    set_values(changed, values, ONLINE)
    assert numbers_of(model) == numbers_of(changed)
    assert model.test_cfg == changed.test_cfg
    # A config that inherits from it has them, too.
    child = tmp_path / 'child.py'
    child.write_text("_base_ = 'deep/found.py'\n")
    assert Config.fromfile(str(child)).model == found


def test_the_shipped_config(tmp_path, repository):
    base = (repository / 'configs' / 'siamattn' / 'siamattn_mobilenetv2.py')
    path = tmp_path / 'found.py'
    write_config(str(path), str(base), {INFLUENCE: 0.5}, ['Found.'])
    found = Config.fromfile(str(path)).model
    expected = Config.fromfile(str(base)).model
    assert expected.online[1].influence == 0.45
    expected.online[1].influence = 0.5
    assert found == expected
