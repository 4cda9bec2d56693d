"""Fast and plain ways of the tiny tracker, and bfloat16."""
import copy

import numpy as np
import pytest

from siamattn_mm.apis import init_tracker
from siamattn_mm.benchmark.synthetic_video import synthetic_video


def track(small_config, base=None, **options):
    config = copy.deepcopy(small_config)
    config.merge_from_dict(
        {f'model.{key}': value for key, value in options.items()})
    tracker = init_tracker(config)
    if base is not None:
        tracker.model.load_state_dict(base.model.state_dict())
    frames, bbox = synthetic_video(96, 64, 4)
    tracker.init(frames[0], bbox)
    return tracker, [tracker.update(frame) for frame in frames[1:]]


@pytest.mark.filterwarnings('ignore:init_tracker', 'ignore:precision bf16')
def test_every_way_finds_the_same(small_config):
    base, expected = track(small_config)
    _, plain = track(small_config, base, optimize=False)
    _, bf16 = track(small_config, base, **{'test_cfg.precision': 'bf16'})
    for one, other, rough in zip(expected, plain, bf16):
        assert np.abs(one.bbox - other.bbox).max() < 1e-3
        assert abs(one.score - other.score) < 1e-5
        assert (one.mask == other.mask).mean() > .999
        assert abs(one.score - rough.score) < .05
