"""Twelve tracking steps with scripted network outputs."""
import cv2
import numpy as np
import pytest
import torch


@pytest.fixture(scope='module')
def steps(golden, released_tracker):
    """Run the steps once; collect what the model was given and returned."""
    stored = np.load(golden / 'official_tracker.npz')
    encoded = np.load(golden / 'official_tracker_frames.npz')
    frames = [
        cv2.imdecode(encoded[f'f{i}'], cv2.IMREAD_COLOR)
        for i in range(len(encoded.files))
    ]
    model = released_tracker.model
    seen = dict(crops=[], rpn_rois=[], mask_rois=[])
    step = dict(index=0)

    def scripted(name):
        return torch.from_numpy(stored[name][step['index']])

    def normalize(crops):
        seen['crops'].append(crops[0].numpy().copy())
        return crops.float()

    def predict_delta(fused_box, rois):
        seen['rpn_rois'].append(rois[0].numpy())
        return scripted('net_bbox')[None]

    def predict_mask(fused_mask, rois):
        seen['mask_rois'].append(rois[0].numpy())
        return scripted('net_mask')[None]

    patch = pytest.MonkeyPatch()
    feats = tuple(torch.zeros(1, 256, 1, 1) for _ in range(3))
    patch.setattr(model.data_preprocessor, 'normalize', normalize)
    patch.setattr(model, 'forward_template', lambda crop: feats)
    patch.setattr(model, 'forward_search', lambda crop: (feats[:2], feats))
    patch.setattr(model.siamese_neck, 'forward',
                  lambda z, x, state=None: (z, x))
    patch.setattr(
        model.head, 'forward', lambda z, x:
        (scripted('net_cls')[None], scripted('net_loc')[None]))
    patch.setattr(model.refine_head, 'forward', lambda z, x, low:
                  (torch.zeros(1), torch.zeros(1)))
    patch.setattr(model.refine_head, 'predict_delta', predict_delta)
    patch.setattr(model.refine_head, 'predict_mask', predict_mask)
    with patch.context():
        released_tracker.init(frames[0], stored['init_bbox'])
        results = []
        for i, frame in enumerate(frames[1:]):
            step['index'] = i
            results.append(released_tracker.update(frame))
    patch.undo()
    return stored, seen, results


def test_crops_are_equal_to_a_grey_level(steps):
    stored, seen, _ = steps
    expected = [stored['template_crop'], *stored['search_crops']]
    assert len(expected) == len(seen['crops'])
    for found, crop in zip(seen['crops'], expected):
        difference = np.abs(found.astype(int) - crop.astype(int))
        assert (difference <= 1).mean() >= 0.999


@pytest.mark.parametrize('name', ['rpn_rois', 'mask_rois'])
def test_rois_are_equal(steps, name):
    stored, seen, _ = steps
    assert np.abs(np.stack(seen[name]) - stored[name]).max() <= 1e-3


def test_boxes_and_scores_are_equal(steps):
    stored, _, results = steps
    boxes = np.stack([r.bbox for r in results])
    scores = np.array([r.score for r in results])
    assert np.abs(boxes - stored['bbox_xywh']).max() <= 1e-3
    assert np.abs(scores - stored['score']).max() <= 1e-5


def test_polygons_are_equal_as_sets_of_corners(steps):
    stored, _, results = steps
    for result, expected in zip(results, stored['polygon']):
        # The corners' order depends on OpenCV's version.
        distance = np.linalg.norm(
            result.polygon[:, None] - expected.reshape(1, 4, 2), axis=2)
        assert distance.min(0).max() <= 1e-2
        assert distance.min(1).max() <= 1e-2


def test_masks_are_equal(steps):
    stored, _, results = steps
    for i, result in enumerate(results):
        mask = result.mask
        expected = np.unpackbits(stored['mask_packed'][i])[:mask.size]
        expected = expected.reshape(mask.shape).astype(bool)
        union = (mask | expected).sum()
        overlap = (mask & expected).sum() / union if union else 1.
        assert overlap >= 0.999
        assert expected.sum() == stored['mask_area'][i]
