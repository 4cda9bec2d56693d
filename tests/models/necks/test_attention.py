"""The attention blocks against loops and closed forms."""
import pytest
import torch
from torch.testing import assert_close

from siamattn_mm.models.necks.attention import (
    SpatialSelfAttention,
    apply_channel_attention,
    channel_attention_map,
    spatial_attention,
)


def test_spatial_attention_is_a_weighted_sum_per_position():
    query, key = torch.randn(2, 3, 2, 4), torch.randn(2, 3, 2, 4)
    value = torch.randn(2, 5, 2, 4)
    found = spatial_attention(query, key, value).flatten(2)
    for n in range(2):
        q, k, v = query[n].flatten(1), key[n].flatten(1), value[n].flatten(1)
        for i in range(8):
            weights = torch.tensor([float(q[:, i] @ k[:, j])
                                    for j in range(8)]).softmax(0)
            assert_close(found[n, :, i], sum(
                weights[j] * v[:, j] for j in range(8)))


def test_spatial_attention_of_equal_keys_is_the_mean():
    value = torch.randn(1, 5, 3, 3)
    found = spatial_attention(
        torch.randn(1, 2, 3, 3), torch.ones(1, 2, 3, 3), value)
    assert_close(found, value.mean((2, 3), keepdim=True).expand_as(value))


@pytest.mark.parametrize('softmax', ['plain', 'inverted'])
def test_rows_of_the_channel_map_sum_to_one(softmax):
    attention = channel_attention_map(torch.randn(2, 6, 3, 3), softmax)
    assert attention.shape == (2, 6, 6)
    assert_close(attention.sum(2), torch.ones(2, 6))


def test_plain_favours_like_channels_and_inverted_unlike_ones():
    x = torch.tensor([[1., 1.], [1., 1.], [-1., -1.]]).view(1, 3, 1, 2)
    plain = channel_attention_map(x)[0]
    inverted = channel_attention_map(x, 'inverted')[0]
    assert plain[0].argmin() == 2 and inverted[0].argmax() == 2
    # E = [2, 2, -2] in the first row: softmax(E) and softmax(max - E).
    assert_close(plain[0], torch.tensor([2., 2., -2.]).softmax(0))
    assert_close(inverted[0], torch.tensor([0., 0., 4.]).softmax(0))


def test_channel_map_in_half_precision_is_that_of_the_rounded_input():
    # X X^T is about 1e5 here, beyond float16.
    x = (torch.randn(1, 8, 31, 31) * 10).half()
    attention = channel_attention_map(x)
    assert attention.dtype == torch.float16
    assert_close(attention.float(), channel_attention_map(x.float()),
                 atol=1e-3, rtol=0)


def test_autocast_does_not_round_the_channel_map():
    x = torch.randn(1, 8, 31, 31) / 10
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = channel_attention_map(x)
    assert_close(found, channel_attention_map(x))


def test_applying_the_map_mixes_channels():
    x = torch.randn(1, 3, 2, 2)
    swap = torch.tensor([[0., 1., 0.], [1., 0., 0.], [0., 0., 1.]])[None]
    assert_close(apply_channel_attention(swap, x), x[:, [1, 0, 2]])


def test_self_attention_starts_as_identity():
    block = SpatialSelfAttention(16)
    x = torch.randn(2, 16, 3, 4)
    assert torch.equal(block(x), x)
    with torch.no_grad():
        block.alpha.fill_(1)
    assert not torch.allclose(block(x), x)


@pytest.mark.parametrize('reduction', [0, 17])
def test_reduction_must_leave_channels(reduction):
    with pytest.raises(ValueError, match=f'1..16.*{reduction}'):
        SpatialSelfAttention(16, reduction)
