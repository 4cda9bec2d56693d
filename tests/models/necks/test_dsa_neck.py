"""DSANeck against the paper's formulas, written out in numpy."""
import itertools

import numpy as np
import pytest
import torch
from mmtrack.registry import MODELS
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.testing import assert_close

CHANNELS = 16
ALPHA = 0.6
# Self template, self search, cross template, cross search.
GAMMA = [0.3, -0.4, 0.5, 0.7]


def build(levels=1, **kwargs):
    return MODELS.build(
        dict(type='DSANeck', in_channels=[CHANNELS] * levels, **kwargs))


def features(levels=1, dtype=torch.float64):
    """Template and search maps: small ones, so that no softmax saturates."""
    scale = 0.4
    return (tuple(scale * torch.randn(2, CHANNELS, 5, 4, dtype=dtype)
                  for _ in range(levels)),
            tuple(scale * torch.randn(2, CHANNELS, 7, 9, dtype=dtype)
                  for _ in range(levels)))


NAMES = [
    f'gamma_{kind}_{branch}' for kind in ('self', 'cross')
    for branch in ('template', 'search')
]


def set_scalars(neck, gamma=GAMMA):
    with torch.no_grad():
        for level in neck.levels:
            if hasattr(level, 'spatial'):
                level.spatial.alpha.fill_(ALPHA)
            for name, value in zip(['gamma'] + NAMES, gamma[:1] + gamma):
                if hasattr(level, name):
                    getattr(level, name).fill_(value)


def randomize_offsets(neck):
    """Deform: offsets of about a third of a cell."""
    for level in neck.levels:
        nn.init.normal_(level.conv.conv_offset.weight, std=.1)
        nn.init.normal_(level.conv.conv_offset.bias, std=.3)


def make_conv_identity(neck):
    for level in neck.levels:
        nn.init.dirac_(level.conv.weight)


# -- the paper, in numpy -------------------------------------------------


def softmax(energy, axis):
    exp = np.exp(energy - energy.max(axis, keepdims=True))
    return exp / exp.sum(axis, keepdims=True)


def conv1x1(conv, x):
    weight = conv.weight.detach().numpy()[:, :, 0, 0]
    return weight @ x + conv.bias.detach().numpy()[:, None]


def paper_spatial(block, x):
    """alpha V A_s + X, A_s = softmax over the columns of Q^T K."""
    # The paper's Q is our key, its K our query.
    q, k = conv1x1(block.key_conv, x), conv1x1(block.query_conv, x)
    v = conv1x1(block.value_conv, x)
    attention = softmax(q.T @ k, axis=0)
    np.testing.assert_allclose(attention.sum(0), 1)
    return ALPHA * v @ attention + x


def channel_map(x):
    """A_c = softmax over the rows of X X^T."""
    return softmax(x @ x.T, axis=1)


def inverted_map(x):
    """What the released checkpoints were trained with."""
    energy = x @ x.T
    return softmax(energy.max(1, keepdims=True) - energy, axis=1)


def paper_branch(level, x, other, gamma_self, gamma_cross, make_map):
    """Both self-attentions and the cross-attention of one branch."""
    return [
        paper_spatial(level.spatial, x),
        gamma_self * make_map(x) @ x + x,
        gamma_cross * make_map(other) @ x + x,
    ]


def flat(feat, sample):
    return feat[sample].detach().numpy().reshape(CHANNELS, -1)


def check_against_paper(neck, gamma, make_map):
    make_conv_identity(neck)
    zs, xs = features(len(neck.levels))
    out_z, out_x = neck(zs, xs)
    for level, z, x, dsa_z, dsa_x in zip(neck.levels, zs, xs, out_z, out_x):
        assert dsa_z.shape == z.shape and dsa_x.shape == x.shape
        for sample in range(2):
            fz, fx = flat(z, sample), flat(x, sample)
            expected_z = sum(
                paper_branch(level, fz, fx, gamma[0], gamma[2], make_map))
            expected_x = sum(
                paper_branch(level, fx, fz, gamma[1], gamma[3], make_map))
            np.testing.assert_allclose(
                flat(dsa_z, sample), expected_z, rtol=0, atol=1e-5)
            np.testing.assert_allclose(
                flat(dsa_x, sample), expected_x, rtol=0, atol=1e-5)


@pytest.mark.parametrize('conv_cfg', [{}, dict(conv_cfg=None)])
def test_paper_profile_equals_the_papers_formulas(conv_cfg):
    neck = build(levels=3, **conv_cfg).double()
    set_scalars(neck)
    check_against_paper(neck, GAMMA, channel_map)


def test_released_profile_inverts_the_softmax_and_shares_gamma():
    neck = build(levels=2, channel_softmax='inverted', share_gamma=True)
    assert neck.levels[0].gamma.shape == (1, )
    neck.double()
    set_scalars(neck, [0.5])
    check_against_paper(neck, [0.5] * 4, inverted_map)


def test_the_two_softmaxes_differ():
    plain, inverted = build(), build(channel_softmax='inverted')
    inverted.load_state_dict(plain.state_dict())
    for neck in (plain, inverted):
        set_scalars(neck)
    zs, xs = features(dtype=torch.float32)
    assert not torch.allclose(plain(zs, xs)[1][0], inverted(zs, xs)[1][0])


def test_each_scalar_has_one_effect():
    neck = build().double()
    make_conv_identity(neck)
    (z, ), (x, ) = zs, xs = features()
    for i, gamma in enumerate(np.eye(4)):
        set_scalars(neck, gamma.tolist())
        nn.init.zeros_(neck.levels[0].spatial.alpha)
        (out_z, ), (out_x, ) = neck(zs, xs)
        is_search = i % 2
        assert torch.allclose(out_z, 3 * z) == bool(is_search)
        assert torch.allclose(out_x, 3 * x) == (not is_search)


def test_starts_as_three_times_the_identity_and_a_conv():
    neck = build().double()
    (z, ), (x, ) = zs, xs = features()
    conv = nn.functional.conv2d
    weight = neck.levels[0].conv.weight
    for found, feat in zip(neck(zs, xs), (z, x)):
        assert_close(found[0], conv(3 * feat, weight, padding=1))


# -- switches ------------------------------------------------------------


def parts_of(self_attention, cross_attention):
    return [0, 1] * self_attention + [2] * cross_attention


@pytest.mark.parametrize('self_attention, cross_attention',
                         [(False, True), (True, False)])
def test_switched_off_parts_are_left_out_of_the_sum(self_attention,
                                                    cross_attention):
    neck = build(self_attention=self_attention,
                 cross_attention=cross_attention).double()
    assert hasattr(neck.levels[0], 'spatial') == self_attention
    set_scalars(neck)
    make_conv_identity(neck)
    # Spatial attention's own weights, from a neck that has them.
    level = neck.levels[0] if self_attention else build().double().levels[0]
    (z, ), (x, ) = zs, xs = features()
    (out_z, ), (out_x, ) = neck(zs, xs)
    used = parts_of(self_attention, cross_attention)
    for sample in range(2):
        fz, fx = flat(z, sample), flat(x, sample)
        for out, branch, other, gamma in ((out_z, fz, fx, GAMMA[0::2]),
                                          (out_x, fx, fz, GAMMA[1::2])):
            parts = paper_branch(level, branch, other, *gamma, channel_map)
            np.testing.assert_allclose(
                flat(out, sample),
                sum(parts[i] for i in used),
                rtol=0,
                atol=1e-5)


@pytest.mark.parametrize('deformable', [True, False])
def test_everything_off_is_the_conv_alone(deformable):
    kwargs = {} if deformable else dict(conv_cfg=None)
    neck = build(
        self_attention=False, cross_attention=False, **kwargs).double()
    names = {name.split('.', 2)[2] for name in neck.state_dict()}
    assert names == {'conv.weight'} | ({
        'conv.conv_offset.weight', 'conv.conv_offset.bias'
    } if deformable else set())
    (z, ), (x, ) = zs, xs = features()
    weight = neck.levels[0].conv.weight
    for found, feat in zip(neck(zs, xs), (z, x)):
        assert_close(found[0], nn.functional.conv2d(feat, weight, padding=1))


def test_plain_conv_is_a_plain_conv():
    conv = build(conv_cfg=None).levels[0].conv
    assert type(conv) is nn.Conv2d
    assert conv.bias is None and conv.padding == (1, 1)


def test_deformable_conv_follows_its_offsets():
    neck = build(self_attention=False, cross_attention=False).double()
    make_conv_identity(neck)
    with torch.no_grad():
        # One cell to the right, for every tap: channels are y, x, y, x...
        neck.levels[0].conv.conv_offset.bias[1::2] = 1
    _, (x, ) = zs, xs = features()
    found = neck(zs, xs)[1][0]
    assert_close(found[..., :-1], x[..., 1:])


# -- template state ------------------------------------------------------


@pytest.mark.parametrize('profile', [
    {},
    dict(channel_softmax='inverted', share_gamma=True),
    dict(self_attention=False),
    dict(cross_attention=False),
    dict(self_attention=False, cross_attention=False),
    dict(conv_cfg=None),
])
def test_cached_template_state_changes_nothing(profile):
    neck = build(levels=3, **profile).eval()
    set_scalars(neck)
    if 'conv_cfg' not in profile:
        randomize_offsets(neck)
    zs, _ = features(3, torch.float32)
    with torch.no_grad():
        state = neck.init_template(zs)
        # One state serves every frame.
        for _ in range(2):
            _, xs = features(3, torch.float32)
            for found, expected in zip(neck(zs, xs, state), neck(zs, xs)):
                assert_close(found, expected, atol=1e-6, rtol=0)


def test_template_state_is_used():
    neck = build()
    set_scalars(neck)
    zs, xs = features(dtype=torch.float32)
    others, _ = features(dtype=torch.float32)
    expected = neck(zs, xs)[1][0]
    found = neck(zs, xs, neck.init_template(others))[1][0]
    assert not torch.allclose(found, expected)


# -- initialisation and training -----------------------------------------


def assert_starts_at_zero(neck):
    for name, value in neck.state_dict().items():
        if 'conv_offset' in name or 'alpha' in name or 'gamma' in name:
            assert not value.any(), name
    assert neck.levels[0].conv.weight.any()
    assert neck.levels[0].spatial.value_conv.weight.any()


def test_offsets_and_scalars_start_at_zero():
    neck = build(levels=2)
    names = [n for n in neck.state_dict() if 'conv_offset' in n]
    assert len(names) == 4
    assert_starts_at_zero(neck)
    neck.init_weights()
    assert_starts_at_zero(neck)


def test_resetting_every_conv_keeps_them_at_zero():
    """mmtrack's ``SiamRPN.init_weights`` does this to a neck and a head."""
    neck = build(levels=2)
    set_scalars(neck, [0.] * 4)
    nn.init.zeros_(neck.levels[0].spatial.alpha)
    nn.init.zeros_(neck.levels[1].spatial.alpha)
    randomize_offsets(neck)
    count = 0
    for module in neck.modules():
        if isinstance(module, _ConvNd):
            module.reset_parameters()
            count += 1
    assert count == 2 * 4
    assert_starts_at_zero(neck)


@pytest.mark.parametrize('self_attention, cross_attention, conv',
                         list(itertools.product([True, False], [True, False],
                                           ['deformable', 'plain'])))
def test_gradients_reach_every_parameter(self_attention, cross_attention,
                                         conv):
    kwargs = dict(conv_cfg=None) if conv == 'plain' else {}
    neck = build(
        levels=2,
        self_attention=self_attention,
        cross_attention=cross_attention,
        **kwargs)
    for name, parameter in neck.named_parameters():
        if 'alpha' in name or 'gamma' in name:
            nn.init.constant_(parameter, .5)
    zs, xs = features(2, torch.float32)
    out_z, out_x = neck(zs, xs)
    sum(out.square().sum() for out in out_z + out_x).backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad is not None, name
        if name.endswith('key_conv.bias'):
            continue  # the same for all keys: softmax does not see it
        assert parameter.grad.abs().sum() > 0, name


def test_every_separate_scalar_learns():
    neck = build()
    zs, xs = features(dtype=torch.float32)
    out_z, out_x = neck(zs, xs)
    (out_z[0].square().sum() + out_x[0].square().sum()).backward()
    for name in NAMES:
        assert getattr(neck.levels[0], name).grad.any()


# -- errors --------------------------------------------------------------


@pytest.mark.parametrize('template, search', [(1, 2), (2, 1), (3, 3)])
def test_wrong_number_of_levels(template, search):
    neck = build(levels=2)
    with pytest.raises(ValueError, match=f'2 levels.*{template} template and '
                       f'{search} search'):
        neck(features(template, torch.float32)[0],
             features(search, torch.float32)[1])


def test_unknown_softmax():
    with pytest.raises(ValueError, match="inverted.*'columns'"):
        build(channel_softmax='columns')
