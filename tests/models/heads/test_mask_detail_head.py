"""Outlines from finer maps."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch.testing import assert_close

ROIS = torch.tensor([[0, 40., 60., 103., 139.], [1, 100., 90., 170., 150.]])


def build(**kwargs):
    cfg = dict(
        type='MaskDetailHead',
        in_channels=2,
        context_channels=6,
        channels=8,
        roi_layer=dict(
            type='DeformRoIPooling',
            deformable=False,
            output_size=32,
            sampling_ratio=1,
            spatial_scale=1 / 2))
    cfg.update(kwargs)
    return MODELS.build(cfg).eval()


@pytest.fixture
def inputs():
    """Fine maps, RoIs, the mask head's feature and logits."""
    return (torch.randn(2, 2, 128, 128), ROIS, torch.randn(2, 6, 16, 16),
            torch.randn(2, 1, 64, 64))


def test_training_starts_from_the_mask_itself(inputs):
    head = build()
    assert torch.equal(head(*inputs), inputs[-1])
    head.conv_logits.weight.data.normal_()
    head.init_weights()
    assert torch.equal(head(*inputs), inputs[-1])


def test_the_fine_map_lies_where_the_mask_does(inputs):
    """A ramp of crop pixels, as the mask's 64 columns and rows see it."""
    head = build(in_channels=1, num_convs=0)
    del head.convs[:]
    head.conv_logits = torch.nn.Conv2d(8 + 1 + 4, 4, 1)
    head._zero_logits()
    head.conv_logits.weight.data[:, 8] = 1  # the pooled map alone
    pixels = 2. * torch.arange(128)
    _, rois, context, logits = inputs
    x1, y1, x2, y2 = rois[:, 1:].t()
    bins = (torch.arange(32) + .5) / 32
    for ramp, start, length, dim in ((pixels[None].expand(128, -1), x1,
                                      x2 - x1, -1),
                                     (pixels[:, None].expand(-1, 128), y1,
                                      y2 - y1, -2)):
        found = head(
            ramp.expand(2, 1, -1, -1).contiguous(), rois, context,
            logits) - logits
        found = found[:, 0].select(-1 if dim == -2 else -2, 7)
        expected = start[:, None] + bins * length[:, None]
        assert_close(found, expected.repeat_interleave(2, 1))


def test_logits_keep_their_places(inputs):
    """What a cell says is about its own pixels."""
    head = build()
    detail, rois, context, logits = inputs
    head.conv_logits.bias.data = torch.arange(4.)
    change = head(*inputs) - logits
    assert_close(change[0, 0, :2, :2], torch.tensor([[0., 1.], [2., 3.]]))
    # Two convs of 3x3 see two cells, of two pixels, on each side.
    head.conv_logits.weight.data.normal_()
    before = head(detail, rois, context, logits)
    other = logits.clone()
    other[:, :, 20, 30] += 5
    rows, columns = (head(detail, rois, context, other) -
                     before).abs().sum((0, 1)).nonzero().t()
    assert 16 <= rows.min() and rows.max() <= 25
    assert 26 <= columns.min() and columns.max() <= 35


def test_everything_that_is_given_counts(inputs):
    head = build()
    head.conv_logits.weight.data.normal_()
    inputs = [value.requires_grad_() for value in inputs]
    head(*inputs).square().sum().backward()
    for value in (inputs[0], *inputs[2:], *head.parameters()):
        assert value.grad.abs().sum() > 0


@pytest.mark.parametrize('bins', [24, (32, 16)])
def test_bins_that_do_not_fit(bins):
    with pytest.raises(ValueError, match="bins.*divides the mask's, 64"):
        build(
            roi_layer=dict(
                type='DeformRoIPooling',
                deformable=False,
                output_size=bins,
                spatial_scale=1 / 2))
