"""Anchors by the numbers of SiamRPN++."""
import torch
from anchor_generator import build_anchor_generator as build


def sizes(anchors):
    return (anchors[:, 2:] - anchors[:, :2]).tolist()


def test_sizes():
    anchors = build().base_anchors[0]
    expected = [(13, 4), (11, 5), (8, 8), (5, 10), (4, 12)]
    assert sizes(anchors) == [[8 * w, 8 * h] for w, h in expected]


def test_centred_at_the_origin():
    anchors = build().base_anchors[0]
    assert not (anchors[:, :2] + anchors[:, 2:]).any()


def test_mmtracks_own_are_others():
    """Why this class exists."""
    theirs = build(type='SiameseRPNAnchorGenerator').base_anchors[0]
    assert sizes(theirs)[3:] == [[40, 88], [32, 104]]


def test_several_scales_are_ratio_major():
    anchors = build(scales=[8, 4], ratios=[1, 2]).base_anchors[0]
    assert sizes(anchors) == [[64, 64], [32, 32], [40, 80], [20, 40]]


def test_number_of_anchors():
    assert build().num_base_anchors == [5]


def test_given_centre():
    generator = build()
    anchors = generator.gen_single_level_base_anchors(
        8, torch.tensor([8.]), torch.tensor([1.]), center=(4., 2.))
    assert anchors.tolist() == [[-28., -30., 36., 34.]]


def test_grid_starts_at_the_first_cell():
    priors = build().grid_priors([(25, 25)], device='cpu')[0]
    assert priors.shape == (25 * 25 * 5, 4)
    centres = (priors[:, :2] + priors[:, 2:]) / 2
    assert centres[:5].eq(0).all()
    assert centres[5].tolist() == [8, 0]  # x runs first, anchors inside
    assert centres[-1].tolist() == [192, 192]
