"""Box head of the refinement."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch.testing import assert_close


@pytest.fixture
def head():
    return MODELS.build(
        dict(
            type='RefineBoxHead',
            in_channels=6,
            fc_channels=16,
            roi_layer=dict(
                type='DeformRoIPooling',
                output_size=4,
                fc_channels=8,
                spatial_scale=25 / 255)))


def random_boxes(num):
    boxes = torch.rand(num, 4) * 100 + 20
    return boxes


def test_deltas_by_hand(head):
    box = torch.tensor([[100., 100., 40., 80.]])
    target = torch.tensor([[104., 92., 80., 40.]])
    log2 = torch.tensor(2.).log().item()
    deltas = torch.tensor([[4 / 40 / .1, -8 / 80 / .1, log2 / .2, -log2 / .2]])
    assert_close(head.encode(box, target), deltas)
    assert_close(head.decode(box, deltas), target)


def test_decode_inverts_encode(head):
    boxes, targets = random_boxes(50), random_boxes(50)
    assert_close(head.decode(boxes, head.encode(boxes, targets)), targets)
    deltas = torch.randn(50, 4)
    assert_close(
        head.encode(boxes, head.decode(boxes, deltas)),
        deltas,
        atol=1e-4,
        rtol=1e-4)


def test_zero_deltas_leave_the_box(head):
    boxes = random_boxes(5)
    assert torch.equal(head.decode(boxes, torch.zeros(5, 4)), boxes)


def test_huge_deltas_stay_finite(head):
    boxes = random_boxes(2)
    found = head.decode(boxes, torch.full((2, 4), 1e5))
    assert torch.isfinite(found).all()


def test_forward_pools_two_hidden_layers_and_a_linear_one(head):
    feat = torch.randn(2, 6, 25, 25)
    rois = torch.tensor([[0, 20., 30., 120., 140.], [1, 100., 90., 180., 150.],
                         [1, 0., 0., 254., 254.]])
    found = head(feat, rois)
    x = head.roi_layer(feat, rois).flatten(1)
    assert x.shape == (3, 6 * 16)
    fc1, fc2 = head.shared_fcs[0], head.shared_fcs[2]
    expected = head.fc_reg(fc2(fc1(x).relu()).relu())
    assert found.shape == (3, 4)
    assert_close(found, expected)
    assert (fc1.out_features, fc2.out_features) == (16, 16)


def test_state_dict_holds_weights_only(head):
    """The stds belong to the config, not to a checkpoint."""
    assert 'target_stds' not in head.state_dict()
