"""Runs, ratios and memory of tracking, with the tiny model."""
import json
import mmap
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from siamattn_mm.benchmark import frame as frame_benchmark
from siamattn_mm.benchmark import memory
from siamattn_mm.benchmark.frame import (
    FrameRuns,
    TrackerSpec,
    differences,
    measure,
    ratios,
    spread,
)
from siamattn_mm.benchmark.synthetic_video import synthetic_video


@pytest.fixture(scope='module')
def report(small_config_path):
    """Two trackers of the same weights, one without masks."""
    base = TrackerSpec(str(small_config_path))
    options = {
        'model.refine_head.mask_head': None,
        'model.refine_head.mask_fusion': None
    }
    other = base._replace(options=options)
    frames, bbox = synthetic_video(96, 64, 5)
    done = []
    state = torch.get_rng_state()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_benchmark, 'matmul_peak', lambda *_: 5e10)
        found = measure(
            {spec.name: spec.build() for spec in (base, other)}, frames, bbox,
            1, lambda: done.append(1))
    assert len(done) == 2
    assert torch.equal(state, torch.get_rng_state())
    return found


def test_figures_of_a_tracker(report):
    figures = report['trackers'][0]
    assert figures['name'] == 'small_model'
    assert report['peak_gflops'] == 50
    for values in (figures['frame_ms'], figures['init_ms']):
        assert 0 < values['low'] <= values['median'] <= values['high']
    assert figures['fps'] == pytest.approx(1e3 / figures['frame_ms']['median'])
    rows = {row['stage']: row for row in figures['stages']}
    assert figures['gflop'] == pytest.approx(
        sum(row['gflop'] for row in rows.values()))
    assert rows['backbone']['share_of_peak'] == pytest.approx(
        rows['backbone']['gflop'] / rows['backbone']['ms']['median'] * 1e3 /
        report['peak_gflops'])
    assert rows['crop']['gflop'] == 0
    json.dumps(report)


def test_second_tracker_and_ratios(report):
    with_mask, without = report['trackers']
    assert 'mask_head=None' in without['name']
    assert without['gflop'] < with_mask['gflop']
    assert {row['stage'] for row in with_mask['stages']} - {
        row['stage'] for row in without['stages']
    } == {'mask', 'paste'}
    assert 'mask' not in report['ratios']
    assert {'frame', 'all but backbone', 'DSA'} <= set(report['ratios'])
    # Other weights: one less module draws its own.
    assert set(report['differences']) == {'bbox', 'score'}


class Stub:
    """A tracker that takes a given time, and finds a given place."""

    def __init__(self, seconds, x, mask=None):
        self.seconds, self.x, self.mask = seconds, x, mask
        self.model = SimpleNamespace()

    def init(self, frame, bbox):
        pass

    def update(self, frame):
        time.sleep(self.seconds)
        return SimpleNamespace(
            bbox=np.array([self.x, 2., 3., 4.]), score=self.x / 100,
            mask=self.mask)


def test_ratio_is_how_much_faster_the_second_is():
    frames = [np.zeros((4, 4, 3), np.uint8)] * 6
    slow, fast = (
        FrameRuns(Stub(seconds, 1.), frames, (0, 0, 2, 2))
        for seconds in (.02, .002))
    for _ in range(2):
        slow.run()
        fast.run()
    found = ratios(slow, fast)
    assert 2 < found['frame']['low'] <= found['frame']['high'] < 20
    assert 'all but backbone' not in found
    assert slow.count_flops() is None  # it has no arithmetic that is seen


def test_differences_are_the_largest():
    frames = [np.zeros((4, 4, 3), np.uint8)] * 5
    mask = np.zeros((4, 4), bool)
    other = mask.copy()
    other[0, :2] = True
    runs = [
        FrameRuns(Stub(0, x, m), frames, (0, 0, 2, 2))
        for x, m in ((1., mask), (4., other))
    ]
    assert differences(*runs) == pytest.approx(
        dict(bbox=3, score=.03, mask=2 / 16))


def test_spread():
    assert spread([3, 1, 2]) == (2, 1, 3)


def test_names_of_specs():
    spec = TrackerSpec('a/b.py', dict(x=1), 'c/d.pth')
    assert spec.name == 'b d.pth x=1'
    with pytest.raises(FileNotFoundError, match='a/b.py'):
        spec.build()


def test_memory_of_tracking(small_config_path):
    """In this process, without the new one that the tool starts."""
    frames, bbox = synthetic_video(96, 64, 4)
    found = frame_benchmark._tracking_memory(
        TrackerSpec(str(small_config_path)), frames, bbox, 6, 1)
    assert found['frames'] == 6
    assert 1 < found['weights_mb'] < 20
    assert found['peak_mb'] >= found['loaded_mb'] - 1
    assert abs(found['growth_mb']) < 50


def hold(megabytes):
    """Use so much memory for a moment; malloc might have some left."""
    with mmap.mmap(-1, megabytes * 2**20) as pages:
        for start in range(0, len(pages), mmap.PAGESIZE):
            pages[start] = 1


@pytest.mark.skipif(
    not memory.reset_peak(), reason='this system does not reset the peak')
def test_peak_memory_is_that_since_the_reset():
    hold(80)
    assert memory.peak_rss_mb() > memory.rss_mb() + 60
    memory.reset_peak()
    assert memory.peak_rss_mb() < memory.rss_mb() + 30
    before = memory.rss_mb()
    hold(50)
    assert memory.peak_rss_mb() >= before + 45


def test_synthetic_video():
    frames, (x, y, w, h) = synthetic_video(64, 48, 5, seed=3)
    assert len(frames) == 5
    assert frames[0].shape == (48, 64, 3) and frames[0].dtype == np.uint8
    assert 0 < x < x + w < 64 and 0 < y < y + h < 48
    again, _ = synthetic_video(64, 48, 5, seed=3)
    assert all((a == b).all() for a, b in zip(frames, again))
    assert (frames[0] != frames[4]).any()
