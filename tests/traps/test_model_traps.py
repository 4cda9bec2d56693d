"""Traps in mmtrack's SiamRPN: each with its piece, and with ours."""
import glob

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmtrack.models.sot import SiamRPN
from mmtrack.registry import MODELS
from torch import nn
from torch.nn import functional as F

from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.structures.search_window import crop_image

MMTRACK_AND_OURS = pytest.mark.parametrize(
    'piece, holds', [('mmtrack', False), ('ours', True)])


# -- 2b: init_cfg of the whole model ---------------------------------------


@pytest.mark.parametrize('init_weights, holds',
                         [(SiamRPN.init_weights, False),
                          (SiamAttn.init_weights, True)])
def test_init_cfg_of_the_model(small_config, tmp_path, init_weights, holds):
    model = MODELS.build(small_config.model)
    for parameter in model.parameters():
        nn.init.constant_(parameter, .25)
    path = str(tmp_path / 'weights.pth')
    torch.save(model.state_dict(), path)
    small_config.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    model = MODELS.build(small_config.model)
    init_weights(model)
    loaded = all((p == .25).all() for p in model.parameters())
    assert loaded is holds


# -- 3: deterministic=True ---------------------------------------------------


def asks_for_deterministic(config):
    return config.get('randomness', {}).get('deterministic', False)


def test_no_deterministic_algorithms(mmtrack_config, repository):
    assert asks_for_deterministic(mmtrack_config)
    paths = glob.glob(str(repository / 'configs' / '*' / '*.py'))
    assert len(paths) > 5
    for path in paths:
        assert not asks_for_deterministic(Config.fromfile(path)), path


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_why_not():
    maps = torch.rand(1, 1, 4, 4, device='cuda', requires_grad=True)
    large = F.interpolate(maps, scale_factor=2, mode='bilinear')
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(RuntimeError, match='deterministic'):
            large.sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)


# -- 7: crops ----------------------------------------------------------------


def crop_around(piece, image, centre, side):
    """The window around a centre, not resized more than need be."""
    if piece == 'ours':
        return crop_image(image, centre, side, side, (90, 90, 90)).astype(int)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    crop = SiamRPN.get_cropped_img(None, tensor, torch.tensor(centre), side,
                                   torch.tensor(side), torch.full((3, ), 90.))
    return crop[0].permute(1, 2, 0).numpy().round().astype(int)


@MMTRACK_AND_OURS
def test_crops_move_with_the_image(piece, holds):
    """A target at the border is cropped as in the middle of a picture."""
    rng = np.random.default_rng(0)
    pattern = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    small = np.full((60, 60, 3), 90, np.uint8)
    small[:20, :20] = pattern
    large, larger = (np.full((100, 100, 3), 90, np.uint8) for _ in range(2))
    large[40:60, 40:60] = larger[50:70, 50:70] = pattern
    # From x = y = -5.5 on, where int() does not round down.
    at_border = crop_around(piece, small, [10., 10.], 31)
    inside = crop_around(piece, large, [50., 50.], 31)
    assert np.array_equal(inside, crop_around(piece, larger, [60., 60.], 31))
    assert np.array_equal(at_border, inside) is holds


# -- negatives ---------------------------------------------------------------


@pytest.mark.parametrize('sampler, holds', [('mmdet.RandomSampler', False),
                                            ('SiamAttnSampler', True)])
def test_negatives_come_from_all_rows(mmtrack_config, sampler, holds):
    head = mmtrack_config.model.head
    head.update(
        in_channels=[4],
        train_cfg=mmtrack_config.model.train_cfg.rpn,
        test_cfg=mmtrack_config.model.test_cfg.rpn)
    head.train_cfg.sampler.type = sampler
    head = MODELS.build(head)
    target = InstanceData(
        bboxes=torch.tensor([[97., 102., 157., 152.]]),
        labels=torch.tensor([1]))
    rows = torch.zeros(25)
    for _ in range(40):
        labels, weights, _, _ = head.get_targets([target], (25, 25))
        negative = (labels == 0) & (weights > 0)
        rows += negative.view(25, 25, 5).sum((1, 2))
    assert bool(rows[-5:].sum() > .7 * rows[:5].sum()) is holds
