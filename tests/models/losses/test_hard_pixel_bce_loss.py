"""Binary cross-entropy over the hardest pixels, against a plain loop."""
import math

import pytest
import torch
from mmtrack.registry import MODELS
from torch.testing import assert_close


def build(**kwargs):
    return MODELS.build(dict(type='HardPixelBCELoss', **kwargs))


def plain(logits, targets, share):
    losses = []
    for logit, target in zip(logits.flatten().tolist(),
                             targets.flatten().tolist()):
        p = 1 / (1 + math.exp(-logit))
        losses.append(-target * math.log(p) - (1 - target) * math.log(1 - p))
    losses.sort(reverse=True)
    hardest = losses[:int(share * len(losses))]
    return sum(hardest) / len(hardest)


@pytest.mark.parametrize('share', [0.3, 0.7, 1.0])
def test_equals_the_plain_definition(share):
    logits, targets = torch.randn(3, 1, 8, 8), torch.rand(3, 1, 8, 8).round()
    found = build(hard_ratio=share)(logits, targets)
    assert found.item() == pytest.approx(
        plain(logits, targets, share), rel=1e-5)


def test_all_pixels_are_ranked_together():
    """A wrong image among right ones takes all the places."""
    targets = torch.ones(10, 1, 4, 4)
    logits = torch.full_like(targets, 10.)
    logits[3] = -10.
    assert_close(
        build(hard_ratio=0.1)(logits, targets), torch.tensor(10.), rtol=1e-4,
        atol=1e-4)


def test_easy_pixels_get_no_gradient():
    logits = torch.tensor([5., 4., 3., 2., 1., 0., -1., -2., -3., -4.],
                          requires_grad=True)
    build()(logits, torch.ones(10)).backward()
    assert logits.grad[:3].eq(0).all() and logits.grad[3:].lt(0).all()


def test_weight_scales():
    logits, targets = torch.randn(4, 8), torch.rand(4, 8)
    assert_close(
        build(loss_weight=0.4)(logits, targets),
        0.4 * build()(logits, targets))


def test_soft_targets_and_half_precision():
    logits, targets = torch.randn(4, 8).half(), torch.rand(4, 8)
    found = build()(logits, targets)
    assert found.dtype == torch.float32 and torch.isfinite(found)


def test_no_pixel_is_zero_with_a_gradient():
    logits = torch.zeros(0, 1, 64, 64, requires_grad=True)
    loss = build()(logits, torch.zeros(0, 1, 64, 64))
    loss.backward()
    assert loss == 0 and logits.grad is not None


def test_one_pixel_counts():
    assert build(hard_ratio=0.1)(torch.zeros(1), torch.ones(1)) > 0


@pytest.mark.parametrize('share', [0, -0.1, 1.1, 70])
def test_share_must_be_a_share(share):
    with pytest.raises(ValueError, match=f'hard_ratio.*{share}'):
        build(hard_ratio=share)


def test_equal_pixels_share_what_is_left():
    logits = torch.zeros(10, requires_grad=True)
    loss = build()(logits, torch.ones(10))
    loss.backward()
    assert_close(loss, torch.tensor(math.log(2)))
    assert_close(logits.grad, torch.full((10, ), -0.5 / 10))


def test_nan_shows():
    logits = torch.tensor([float('nan')] + [9.] * 9)
    assert build()(logits, torch.zeros(10)).isnan()
