"""What mmtrack's test loop gives, and what it gets; regions."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close

from siamattn_mm.models.trackers import xywh_of

HEIGHT, WIDTH = 120, 160
BOX = (60., 40., 30., 24.)  # xywh


def sample_of(frame_id, gt):
    sample = TrackDataSample(metainfo=dict(
        frame_id=frame_id, ori_shape=(HEIGHT, WIDTH)))
    sample.gt_instances = InstanceData(bboxes=torch.tensor([gt]))
    return sample


def step(model, frame, frame_id, gt=(60., 40., 90., 64.)):
    """One frame through the data preprocessor, as the test loop does."""
    frame = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None]
    result, = model.test_step(
        dict(inputs=dict(img=[frame]), data_samples=[sample_of(frame_id, gt)]))
    return result


def test_first_frame_initialises_and_the_next_are_tracked(model, frames):
    first = step(model, frames[0], 0)
    instances = first.pred_track_instances
    assert_close(instances.bboxes, torch.tensor([[60., 40., 90., 64.]]))
    assert instances.scores.tolist() == [-1]
    assert 'masks' not in instances and first.metainfo['track_time'] > 0
    found = [step(model, frame, i) for i, frame in enumerate(frames[1:], 1)]

    session = model.new_session()
    session.start(frames[0], BOX)
    for sample, frame in zip(found, frames[1:]):
        expected = session.step(frame)
        instances = sample.pred_track_instances
        assert instances.bboxes.shape == (1, 4)
        x, y, w, h = expected.bbox
        assert_close(instances.bboxes[0],
                     torch.tensor([x, y, x + w, y + h]).float())
        assert instances.scores.tolist() == pytest.approx([expected.score])
        assert instances.masks.dtype == torch.bool
        np.testing.assert_array_equal(instances.masks[0].numpy(),
                                      expected.pasted_mask.full())
        np.testing.assert_array_equal(instances.polygons[0].numpy(),
                                      expected.polygon)
        assert sample.metainfo['track_time'] > 0


def test_a_new_video_starts_with_its_own_target(model, frames):
    step(model, frames[0], 0)
    step(model, frames[1], 1)
    second = (20., 30., 70., 80.)
    assert_close(
        step(model, frames[0], 0, second).pred_track_instances.bboxes[0],
        torch.tensor(second))
    expected = model.new_session()
    expected.start(frames[0], (20., 30., 50., 50.))
    x, y, w, h = expected.step(frames[1]).bbox
    assert_close(
        step(model, frames[1], 1).pred_track_instances.bboxes[0],
        torch.tensor([x, y, x + w, y + h]).float())


def test_the_first_frame_comes_first(model, frames):
    with pytest.raises(RuntimeError, match='frame 3 came before the first'):
        step(model, frames[0], 3)


def test_polygon_initialises_its_box(model, frames):
    polygon = (75., 30., 95., 50., 75., 70., 55., 50.)
    result = step(model, frames[0], 0, polygon)
    x, y, w, h = xywh_of(np.array(polygon))
    assert_close(result.pred_track_instances.bboxes[0],
                 torch.tensor([x, y, x + w, y + h]).float())


def test_several_frames_at_once_are_refused(model, frames):
    frame = torch.from_numpy(frames[0]).permute(2, 0, 1)[None]
    for images in (torch.stack([frame, frame]), frame):
        with pytest.raises(ValueError, match='one frame at a time'):
            model(dict(img=images), [sample_of(0, BOX)], mode='predict')


def test_a_frame_needs_its_number(model, frames):
    sample = TrackDataSample()
    sample.gt_instances = InstanceData(bboxes=torch.tensor([BOX]))
    frame = torch.from_numpy(frames[0]).permute(2, 0, 1)[None, None]
    with pytest.raises(ValueError, match='no frame_id'):
        model(dict(img=frame), [sample], mode='predict')


def test_xywh_of_a_box():
    assert xywh_of(np.array([10, 20, 40, 60])).tolist() == [10, 20, 30, 40]


def test_xywh_of_an_upright_polygon_is_its_box_of_pixels():
    polygon = [10, 20, 40, 20, 40, 60, 10, 60]
    assert xywh_of(np.array(polygon)).tolist() == [10, 20, 31, 41]


def test_xywh_of_a_rotated_polygon_keeps_centre_area_and_aspect():
    corners = cv2.boxPoints(((50., 70.), (40., 20.), 30.)).astype(np.float64)
    x, y, w, h = xywh_of(corners)
    assert (x + (w - 1) / 2, y + (h - 1) / 2) == pytest.approx((50, 70),
                                                               abs=1e-4)
    assert (w - 1) * (h - 1) == pytest.approx(800, rel=1e-4)
    extent = corners.max(0) - corners.min(0)
    assert (w - 1) / (h - 1) == pytest.approx(extent[0] / extent[1], rel=1e-4)


def test_xywh_of_anything_else():
    with pytest.raises(ValueError, match='4 numbers.*8.*but got 6'):
        xywh_of(np.arange(6))
