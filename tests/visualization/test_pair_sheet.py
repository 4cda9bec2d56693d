"""Tests of pictures of training pairs."""
import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample

from siamattn_mm.visualization.pair_sheet import (
    BOX_COLOR,
    contact_sheet,
    draw_crop,
    draw_pair,
)


def make_instances(size, with_mask=True):
    """An object on pixels 10..19 by 20..39."""
    instances = InstanceData(
        bboxes=torch.tensor([[9.5, 19.5, 19.5, 39.5]]),
        labels=torch.tensor([1]))
    if with_mask:
        mask = np.zeros((1, size, size), np.uint8)
        mask[0, 20:40, 10:20] = 1
        instances.masks = BitmapMasks(mask, size, size)
    return instances


def test_box_is_drawn_on_the_outermost_pixels():
    img = torch.zeros(1, 3, 60, 60, dtype=torch.uint8)
    canvas = draw_crop(img, make_instances(60, False))
    rows, columns = np.nonzero((canvas == BOX_COLOR).all(axis=2))
    assert (columns.min(), columns.max()) == (10, 19)
    assert (rows.min(), rows.max()) == (20, 39)
    assert (img == 0).all()


def test_mask_is_tinted():
    img = torch.full((1, 3, 60, 60), 100, dtype=torch.uint8)
    canvas = draw_crop(img, make_instances(60))
    assert canvas[30, 15].tolist() == [50, 50, 177]
    assert canvas[50, 15].tolist() == [100, 100, 100]
    plain = draw_crop(img, make_instances(60), with_mask=False)
    assert plain[30, 15].tolist() == [100, 100, 100]


@pytest.mark.parametrize('with_mask', [True, False])
def test_pair(with_mask):
    sample = TrackDataSample(metainfo=dict(source='video'))
    sample.gt_instances = make_instances(127, with_mask)
    sample.search_gt_instances = make_instances(255, with_mask)
    inputs = {
        key: torch.full((1, 3, size, size), 100, dtype=torch.uint8)
        for key, size in (('img', 127), ('search_img', 255))
    }
    picture = draw_pair(dict(inputs=inputs, data_samples=sample))
    assert picture.shape[1] >= 127 + 255 + 255
    assert ((picture == (50, 50, 177)).all(axis=2).any()) == with_mask


def test_contact_sheet_fills_its_last_row():
    pictures = [np.full((4, 6, 3), i + 1, np.uint8) for i in range(5)]
    sheet = contact_sheet(pictures, columns=3)
    assert sheet.shape == (8, 18, 3)
    assert sheet[0, 7, 0] == 2 and sheet[4, 0, 0] == 4
    assert (sheet[4:, 12:] == 0).all()
