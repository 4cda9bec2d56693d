"""Other code bases' names, in ours: all of them, or none."""
import json
from pathlib import Path

import mmtrack
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS
from torch import nn
from torch.testing import assert_close

from siamattn_mm.utils import CheckpointError
from siamattn_mm.utils.convert import RULES, convert, rename

RELEASED = 'configs/siamattn/siamattn_r50_released.py'


@pytest.fixture(scope='module')
def released(repository):
    """Config of the released model."""
    init_default_scope('mmtrack')
    return Config.fromfile(str(repository / RELEASED)).model


@pytest.fixture(scope='module')
def ours(released):
    """State dict of the released model, shapes alone."""
    return shapes_of(MODELS.build(released))


@pytest.fixture(scope='module')
def official(golden):
    """State dict of the released checkpoint, shapes alone."""
    shapes = json.loads((golden / 'official_state_dict.json').read_text())
    return {
        name: torch.empty(shape, device='meta')
        for name, shape in shapes.items()
    }


def shapes_of(model):
    return {name: v.to('meta') for name, v in model.state_dict().items()}


def lines_of(error):
    """The message's first line, and the problems."""
    head, *problems = str(error.value).splitlines()
    return head, sorted(line.strip() for line in problems)


# -- the released checkpoints --------------------------------------------


def test_all_official_names_map_one_to_one(official, ours):
    converted = convert(official, 'siamattn', ours)
    assert len(official) == 645
    assert len(converted.state_dict) == 645
    assert set(converted.state_dict) == set(ours)
    assert converted.untouched == []
    for name, value in official.items():
        assert converted.state_dict[rename(name, 'siamattn')] is value


@pytest.mark.parametrize('theirs, name', [
    ('backbone.layer2.0.downsample.0.weight', ) * 2,
    ('neck.downsample3.downsample.1.running_var', 'neck.convs.1.bn.running_var'
     ),
    ('rpn_head.rpn4.loc.head.3.bias',
     'head.reg_heads.2.head_convs.1.conv.bias'),
    ('rpn_head.cls_weight', 'head.cls_weight'),
    ('rpn_head.loc_weight', 'head.reg_weight'),
    ('feature_enhance.pams.0.gamma', 'siamese_neck.levels.0.spatial.alpha'),
    ('feature_enhance.cam_uses.2.gamma', 'siamese_neck.levels.2.gamma'),
    ('mask_head.roi_pool_m.offset_fc.4.bias',
     'refine_head.mask_head.roi_layer.offset_fc.4.bias'),
])
def test_names_by_hand(official, theirs, name):
    assert theirs in official
    assert rename(theirs, 'siamattn') == name


@pytest.mark.parametrize('source', sorted(RULES))
@pytest.mark.parametrize('name', [
    'optimizer.state', 'rpn_head.rpn5.cls.head.3', 'neck.',
    'rpn_head.rpn2.cls.head.7.weight', 'Xbackbone.conv1.weight'
])
def test_names_without_a_place(source, name):
    with pytest.raises(KeyError, match=name.replace('.', r'\.')):
        rename(name, source)


def test_every_problem_is_named_at_once(official, ours):
    weights = dict(official)
    weights['mask_head.extra.weight'] = torch.empty(3, 2, device='meta')
    weights['backbone.layer9.weight'] = torch.empty(1, device='meta')
    weights['bbox_head.tail_det_box.bias'] = torch.empty(5, device='meta')
    del weights['feature_enhance.pams.1.gamma']
    del weights['neck.downsample2.downsample.0.weight']
    with pytest.raises(CheckpointError) as error:
        convert(weights, 'siamattn', ours)
    head, problems = lines_of(error)
    assert '5 weights do not fit a siamattn checkpoint' in head
    assert problems == [
        'missing: neck.convs.0.conv.weight (256, 512, 1, 1)',
        'missing: siamese_neck.levels.1.spatial.alpha (1,)',
        'no place for: backbone.layer9.weight (1,)',
        'no place for: mask_head.extra.weight (3, 2)',
        'shape of refine_head.box_head.fc_reg.bias: (5,), but the model has '
        '(4,)',
    ]


def test_released_weights_need_the_released_model(official, released):
    """The paper's profile has four scalars and three mask maps."""
    paper = dict(released)
    paper['siamese_neck'] = dict(released.siamese_neck, share_gamma=False)
    with pytest.raises(CheckpointError) as error:
        convert(official, 'siamattn', shapes_of(MODELS.build(paper)))
    _, problems = lines_of(error)
    assert set(problems) == {
        f'no place for: siamese_neck.levels.{i}.gamma (1,)' for i in range(3)
    } | {
        f'missing: siamese_neck.levels.{i}.gamma_{kind}_{branch} (1,)'
        for i in range(3) for kind in ('self', 'cross')
        for branch in ('template', 'search')
    }


def test_unknown_source(ours):
    with pytest.raises(CheckpointError, match="mmtrack.*pysot.*'darknet'"):
        convert({}, 'darknet', ours)


# -- SiamRPN++ of pysot --------------------------------------------------


@pytest.fixture(scope='module')
def pysot(official):
    """pysot's SiamRPN++ has the same names, and no more than these."""
    return {
        name: value
        for name, value in official.items()
        if name.startswith(('backbone.', 'neck.', 'rpn_head.'))
    }


def test_pysot_leaves_the_new_parts_untouched(pysot, ours):
    converted = convert(pysot, 'pysot', ours)
    new = {
        name
        for name in ours
        if name.startswith(('siamese_neck.', 'refine_head.'))
        and not name.endswith('num_batches_tracked')
    }
    assert set(converted.untouched) == new
    counters = {n for n in ours if n.endswith('num_batches_tracked')}
    assert set(converted.state_dict) | new | counters == set(ours)


def test_pysot_must_fill_backbone_neck_and_head(pysot, ours):
    weights = dict(pysot)
    del weights['rpn_head.cls_weight']
    weights['feature_enhance.pams.0.gamma'] = torch.empty(1, device='meta')
    with pytest.raises(CheckpointError) as error:
        convert(weights, 'pysot', ours)
    assert lines_of(error)[1] == [
        'missing: head.cls_weight (3,)',
        'no place for: feature_enhance.pams.0.gamma (1,)',
    ]


# -- mmtrack's SiamRPN ---------------------------------------------------


@pytest.fixture(scope='module')
def mmtracks(released):
    """mmtrack's SiamRPN, from its own base config."""
    path = Path(mmtrack.__file__).parent.joinpath(
        '.mim/configs/sot/siamese_rpn/'
        'siamese-rpn_r50_8xb28-20e_imagenetvid-imagenetdet-coco_base.py')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(str(path)).model).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .8, 1.2)
            nn.init.normal_(module.bias, std=.05)
            nn.init.normal_(module.running_mean, std=.05)
            nn.init.uniform_(module.running_var, .8, 1.2)
    nn.init.normal_(model.head.cls_weight)
    nn.init.normal_(model.head.reg_weight)
    return model


def test_mmtracks_siamrpn_initialises_ours(mmtracks, ours):
    converted = convert(shapes_of(mmtracks), 'mmtrack', ours)
    assert set(converted.state_dict) == set(mmtracks.state_dict())
    assert converted.untouched
    assert all(
        name.startswith(('siamese_neck.', 'refine_head.'))
        for name in converted.untouched)


@torch.no_grad()
def test_mmtracks_network_gives_the_same_numbers_here(mmtracks, released):
    # Optimised convs round in other places.
    plain = dict(released, refine_head=None, optimize=False)
    plain['siamese_neck'] = dict(type='IdentitySiameseNeck')
    model = MODELS.build(plain).eval()
    converted = convert(mmtracks.state_dict(), 'mmtrack', model.state_dict())
    assert converted.untouched == []
    model.load_state_dict(converted.state_dict, strict=True)

    template = torch.rand(1, 3, 127, 127) * 255
    search = torch.rand(1, 3, 255, 255) * 255
    outs = model(dict(template=template, search=search), mode='tensor')
    cls_score, bbox_pred = mmtracks.head(
        mmtracks.forward_template(template), mmtracks.forward_search(search))
    assert cls_score.shape == (1, 10, 25, 25) and cls_score.std() > 0
    assert bbox_pred.shape == (1, 20, 25, 25) and bbox_pred.std() > 0
    assert_close(outs['cls_score'], cls_score)
    assert_close(outs['bbox_pred'], bbox_pred)
