"""Channel mapper with one output size."""
import torch
import torch.nn.functional as F
from mmdet.models.necks import ChannelMapper
from mmtrack.registry import MODELS
from torch.testing import assert_close

CONFIG = dict(
    in_channels=[4, 6],
    out_channels=8,
    kernel_size=1,
    norm_cfg=dict(type='BN'),
    act_cfg=None)


def _pair():
    ours = MODELS.build(dict(type='SameSizeChannelMapper', **CONFIG)).eval()
    theirs = ChannelMapper(**CONFIG).eval()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def test_small_maps_are_enlarged():
    """The first map is ChannelMapper's, the second one's is enlarged."""
    ours, theirs = _pair()
    maps = (torch.randn(2, 4, 8, 8), torch.randn(2, 6, 4, 4))
    first, second = ours(maps)
    assert first.shape == second.shape == (2, 8, 8, 8)
    expected = theirs(maps)
    assert_close(first, expected[0])
    assert_close(
        second,
        F.interpolate(expected[1], scale_factor=2, mode='bilinear'))


def test_equal_sizes_stay():
    """Without anything to enlarge it is ChannelMapper."""
    ours, theirs = _pair()
    maps = (torch.randn(2, 4, 8, 8), torch.randn(2, 6, 8, 8))
    assert_close(ours(maps), theirs(maps))
