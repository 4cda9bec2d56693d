"""J and F from masks on disk."""
import cv2
import numpy as np
import pytest
import torch
from mmtrack.registry import METRICS
from PIL import Image

from siamattn_mm.evaluation.functional import (
    boundary_measure,
    region_similarity,
)

LENGTH = 6


def mask_at(x, value=1):
    """(60, 80) with a rectangle."""
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, x:x + 30] = value
    return mask


@pytest.fixture()
def metric():
    """The metric as the configs have it."""
    return METRICS.build(dict(type='DAVISMetric'))


def samples(folder, shift, name='dog', video_id=0, **more):
    """Outputs of a tracker that is off by ``shift`` pixels a frame."""
    folder.mkdir(exist_ok=True)
    frames = []
    for i in range(LENGTH):
        path = folder / f'{i}.png'
        cv2.imwrite(str(path), mask_at(10 + i, 255))
        instances = dict(bboxes=torch.zeros(1, 4))
        if i > 0:
            mask = mask_at(10 + i + i * shift) > 0
            instances['masks'] = torch.from_numpy(mask)[None]
        frames.append(
            dict(
                frame_id=i,
                video_id=video_id,
                video_length=LENGTH,
                sequence_name=name,
                img_path=f'{name}/{i}.jpg',
                mask_path=str(path),
                pred_track_instances=instances,
                **more))
    return frames


def test_figures(metric, tmp_path):
    metric.process({}, samples(tmp_path / 'dog', 2))
    metric.process({}, samples(tmp_path / 'cat', 0, 'cat', 1))
    figures = metric.evaluate(2 * LENGTH)
    pairs = [(mask_at(10 + 3 * i) > 0, mask_at(10 + i) > 0)
             for i in range(1, LENGTH - 1)]
    region = [region_similarity(*pair) for pair in pairs]
    boundary = [boundary_measure(*pair) for pair in pairs]
    assert figures['davis/J_mean'] == pytest.approx((np.mean(region) + 1) / 2)
    assert figures['davis/F_mean'] == pytest.approx(
        (np.mean(boundary) + 1) / 2)
    assert figures['davis/J&F'] == pytest.approx(
        (figures['davis/J_mean'] + figures['davis/F_mean']) / 2)
    assert figures['davis/J_recall'] == pytest.approx(
        (np.mean(np.array(region) > .5) + 1) / 2)
    assert figures['davis/J_decay'] == pytest.approx(
        (np.mean(region[:2]) - np.mean(region[2:])) / 2)


def test_all_frames_may_count(tmp_path):
    metric = METRICS.build(
        dict(type='DAVISMetric', exclude_first=False, exclude_last=False))
    metric.process({}, samples(tmp_path / 'dog', 0))
    # The first frame has no predicted mask.
    assert metric.evaluate(LENGTH)['davis/J_mean'] == pytest.approx(5 / 6)


def test_objects_of_a_palette_image(metric, tmp_path):
    frames = samples(tmp_path / 'dog', 0, object_id=2)
    for i, frame in enumerate(frames):
        mask = mask_at(10 + i, 2)
        mask[45:] = 1
        Image.fromarray(mask).save(frame['mask_path'])
    metric.process({}, frames)
    assert metric.evaluate(LENGTH)['davis/J&F'] == 1


def test_what_is_refused(metric, tmp_path):
    frames = samples(tmp_path / 'dog', 0)
    with pytest.raises(ValueError, match='dog/1.jpg: frame 1 .* order'):
        metric.process({}, frames[1:])
    cv2.imwrite(frames[1]['mask_path'], np.zeros((30, 40), np.uint8))
    with pytest.raises(ValueError, match='1.png: mask of 40x30 .*80x60'):
        metric.process({}, frames)
    for frame in frames:
        frame['mask_path'] = None
    with pytest.raises(ValueError, match='dog/0.jpg: this frame names no'):
        metric.process({}, frames)
    with pytest.raises(ValueError, match='no sequence was tracked'):
        metric.compute_metrics([])
