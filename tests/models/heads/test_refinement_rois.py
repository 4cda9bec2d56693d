"""Boxes of RoIs, and masks that are cropped at them."""
import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from siamattn_mm.models.heads.refinement_rois import clip_to_crop, crop_masks


def test_clip_to_crop():
    boxes = torch.tensor([[-5., 300., 3., 999.], [10., 20., 30., 40.]])
    assert clip_to_crop(boxes, 255, 10).tolist() == [[0, 254, 10, 254],
                                                     [10, 20, 30, 40]]


def test_crop_of_as_many_pixels_as_cells_is_a_copy(drawn_mask):
    roi = torch.tensor([[0, 60., 90., 124., 154.]])
    found = crop_masks(torch.from_numpy(drawn_mask)[None], roi, (64, 64))
    assert found.shape == (1, 1, 64, 64) and found.dtype == torch.float32
    np.testing.assert_array_equal(found[0, 0].numpy(),
                                  drawn_mask[90:154, 60:124])


@pytest.mark.parametrize('roi', [(40., 50., 168., 178.), (40., 50., 72., 82.),
                                 (30., 20., 158., 212.)])
def test_crop_is_the_nearest_resize(drawn_mask, roi):
    """Sizes that are multiples or shares of 64, where nearest is exact."""
    x1, y1, x2, y2 = (int(v) for v in roi)
    window = torch.from_numpy(drawn_mask[y1:y2, x1:x2]).float()[None, None]
    expected = torch.nn.functional.interpolate(
        window, (64, 64), mode='nearest-exact')[0, 0]
    found = crop_masks(
        torch.from_numpy(drawn_mask)[None], torch.tensor([(0., ) + roi]),
        (64, 64))
    assert_close(found[0, 0], expected)


def test_crop_of_an_odd_window_is_the_nearest_pixel(drawn_mask):
    x1, y1, x2, y2 = 33.3, 47.9, 171.2, 190.4
    found = crop_masks(
        torch.from_numpy(drawn_mask)[None],
        torch.tensor([[0, x1, y1, x2, y2]]), (12, 20))[0, 0]
    for v in range(12):
        for u in range(20):
            x = x1 + (u + .5) / 20 * (x2 - x1)
            y = y1 + (v + .5) / 12 * (y2 - y1)
            assert found[v, u] == drawn_mask[math.floor(y), math.floor(x)]


def test_crop_is_blank_outside_and_of_the_right_image():
    masks = torch.stack([torch.zeros(255, 255), torch.ones(255, 255)]).byte()
    rois = torch.tensor([[1, -32., 100., 32., 164.], [0, 0., 0., 64., 64.],
                         [1, 223., 223., 287., 287.], [1, 300., 0., 400., 99.]
                         ])
    found = crop_masks(masks, rois, (64, 64))[:, 0]
    assert found[0, :, :32].eq(0).all() and found[0, :, 32:].eq(1).all()
    assert found[1].eq(0).all() and found[3].eq(0).all()
    assert found[2, :32, :32].eq(1).all() and found[2].sum() == 32 * 32
