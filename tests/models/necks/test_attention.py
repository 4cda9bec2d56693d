"""The attention blocks against loops and closed forms."""
import pytest
import torch
from torch.testing import assert_close

from siamattn_mm.models.necks.attention import (
    SpatialSelfAttention,
    apply_channel_attention,
    channel_attention_map,
    spatial_attention,
    to_map,
    to_tokens,
)


def test_spatial_attention_is_a_weighted_sum_per_position():
    query, key = torch.randn(2, 8, 3), torch.randn(2, 6, 3)
    value = torch.randn(2, 6, 5)
    found = spatial_attention(query, key, value)
    for n in range(2):
        q, k, v = query[n], key[n], value[n]
        for i in range(8):
            weights = torch.tensor([float(q[i] @ k[j])
                                    for j in range(6)]).softmax(0)
            assert_close(found[n, i], sum(weights[j] * v[j]
                                          for j in range(6)))


def test_spatial_attention_of_equal_keys_is_the_mean():
    value = torch.randn(1, 9, 5)
    found = spatial_attention(torch.randn(1, 9, 2), torch.ones(1, 9, 2), value)
    assert_close(found, value.mean(1, keepdim=True).expand_as(value))


@pytest.mark.parametrize('softmax', ['plain', 'inverted'])
def test_rows_of_the_channel_map_sum_to_one(softmax):
    attention = channel_attention_map(torch.randn(2, 9, 6), softmax)
    assert attention.shape == (2, 6, 6)
    assert_close(attention.sum(2), torch.ones(2, 6))


def test_plain_favours_like_channels_and_inverted_unlike_ones():
    x = torch.tensor([[1., 1., -1.], [1., 1., -1.]])[None]
    plain = channel_attention_map(x)[0]
    inverted = channel_attention_map(x, 'inverted')[0]
    assert plain[0].argmin() == 2 and inverted[0].argmax() == 2
    # E = [2, 2, -2] in the first row: softmax(E) and softmax(max - E).
    assert_close(plain[0], torch.tensor([2., 2., -2.]).softmax(0))
    assert_close(inverted[0], torch.tensor([0., 0., 4.]).softmax(0))


def test_channel_map_in_half_precision_is_that_of_the_rounded_input():
    # X X^T is about 1e5 here, beyond float16.
    x = (torch.randn(1, 961, 8) * 10).half()
    attention = channel_attention_map(x)
    assert attention.dtype == torch.float16
    assert_close(attention.float(), channel_attention_map(x.float()),
                 atol=1e-3, rtol=0)


def test_autocast_does_not_round_the_channel_map():
    x = torch.randn(1, 961, 8) / 10
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = channel_attention_map(x)
    assert_close(found, channel_attention_map(x))


def test_applying_the_map_mixes_channels():
    x = torch.randn(1, 4, 3)
    swap = torch.tensor([[0., 1., 0.], [1., 0., 0.], [0., 0., 1.]])[None]
    assert_close(apply_channel_attention(swap, x), x[..., [1, 0, 2]])


def test_self_attention_starts_as_identity():
    block = SpatialSelfAttention(16)
    x = torch.randn(2, 16, 3, 4)
    assert torch.equal(to_map(block(x), (3, 4)), x)
    with torch.no_grad():
        block.alpha.fill_(1)
    assert not torch.allclose(to_map(block(x), (3, 4)), x)


def test_pooled_keys_and_values():
    block = SpatialSelfAttention(16, sub_sample=True)
    with torch.no_grad():
        block.alpha.fill_(1)
    x = torch.randn(2, 16, 6, 4)
    keys = torch.nn.functional.max_pool2d(x, 2)
    assert_close(
        to_map(block(x), (6, 4)) - x,
        to_map(
            spatial_attention(
                to_tokens(block.query_conv(x)),
                to_tokens(block.key_conv(keys)),
                to_tokens(block.value_conv(keys))), (6, 4)))


def test_tokens_are_positions_row_by_row():
    x = torch.randn(2, 3, 4, 5)
    tokens = to_tokens(x)
    assert torch.equal(tokens[1, 7], x[1, :, 1, 2])
    assert torch.equal(to_map(tokens, (4, 5)), x)


def test_channel_map_has_no_subnormal_numbers():
    x = torch.randn(1, 100, 8) * torch.tensor([1., 2, 3, 1, 2, 3, 1, 2])
    attention = channel_attention_map(x)
    smallest = torch.finfo(torch.float32).tiny
    assert (attention == 0).any()
    assert not ((attention > 0) & (attention < smallest)).any()
    assert (channel_attention_map(x[:, :5]) > 0).any()


@pytest.mark.parametrize('reduction', [0, 17])
def test_reduction_must_leave_channels(reduction):
    with pytest.raises(ValueError, match=f'1..16.*{reduction}'):
        SpatialSelfAttention(16, reduction)
