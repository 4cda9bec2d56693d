"""The shipped tracker on a GPU: the CPU's boxes, frames a second."""
import time

import numpy as np
import pytest
import torch
from mmengine.config import Config

from siamattn_mm.apis import init_tracker
from siamattn_mm.benchmark.synthetic_video import synthetic_video

CONFIG = 'configs/siamattn/siamattn_mobilenetv2.py'


def overlaps(first, second):
    """IoU of (N, 4) boxes, xywh."""
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, :2] + first[:, 2:],
                      second[:, :2] + second[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / (first[:, 2:].prod(1) + second[:, 2:].prod(1) - shared)


def track(tracker, frames, box):
    """All boxes, the last mask, and frames a second."""
    tracker.init(frames[0], box)
    boxes, start = [], time.perf_counter()
    for frame in frames[1:]:
        result = tracker.update(frame)
        boxes.append(result.bbox)
    seconds = time.perf_counter() - start
    return np.array(boxes), result.mask, len(boxes) / seconds


@pytest.fixture(scope='module')
def video():
    return synthetic_video(640, 480, 40)


@pytest.fixture(scope='module')
def on_cpu(repository, video):
    torch.set_num_threads(4)
    return track(
        init_tracker(str(repository / CONFIG), device='cpu'), *video)


def test_boxes_and_masks_are_those_of_the_cpu(repository, device, video,
                                              on_cpu):
    tracker = init_tracker(str(repository / CONFIG), device=str(device))
    track(tracker, video[0][:4], video[1])  # kernels are loaded
    boxes, mask, fps = track(tracker, *video)
    shared = overlaps(boxes, on_cpu[0])
    print(f'{device}: {fps:.1f} frames a second, CPU {on_cpu[2]:.1f}; '
          f'overlap with the CPU\'s boxes {shared.min():.5f} at least')
    assert shared.min() > 0.99
    assert (mask == on_cpu[1]).mean() > 0.99


def test_bfloat16_follows_too(repository, device, video, on_cpu):

    config = Config.fromfile(str(repository / CONFIG))
    config.model.test_cfg.precision = 'bf16'
    tracker = init_tracker(config, device=str(device))
    boxes, _, fps = track(tracker, *video)
    shared = overlaps(boxes, on_cpu[0])
    print(f'bf16: {fps:.1f} frames a second, overlap {shared.mean():.4f}')
    assert shared.mean() > 0.9


@pytest.mark.parametrize('precision', ['fp32', 'bf16', 'fp16'])
def test_recorded_launches_give_the_same(repository, device, video, precision):
    if device.type == 'cpu' and precision == 'fp16':
        pytest.skip('a CPU has no half precision of this kind')
    found = []
    for recorded in (False, True):
        config = Config.fromfile(str(repository / CONFIG))
        config.model.test_cfg.precision = precision
        config.model.test_cfg.cuda_graphs = recorded
        tracker = init_tracker(config, device=str(device))
        track(tracker, video[0][:4], video[1])
        found.append(track(tracker, *video))
    (boxes, mask, plain), (others, other_mask, fps) = found
    shared = overlaps(boxes, others)
    print(f'{precision}: {fps:.1f} frames a second by CUDA graphs, '
          f'{plain:.1f} without; overlap {shared.min():.5f} at least')
    # Half precision rounds alike, but sums in any order.
    assert shared.min() > (0.999 if precision == 'fp32' else 0.9)
    assert (mask == other_mask).mean() > 0.99
