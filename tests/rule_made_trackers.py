"""Trackers whose numbers are in tests/golden/data, and what they track."""
import warnings
from pathlib import Path

import numpy as np
import rule_made
from mmengine.config import Config
from released_network import CONFIG

from siamattn_mm.apis import init_tracker

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / 'tests' / 'golden' / 'data'
SHIPPED = 'configs/siamattn/siamattn_mobilenetv2.py'
# Frames behind the first one. The small model's search windows lie on a grid,
# so that last digits do not grow from frame to frame.
STEPS = dict(released_tracker=3, shipped_tracker=12)
# In pixels.
BOXES_TOLERANCE = .01


def released_tracker(optimize=True):
    """The released R50 network with weights by rule."""
    config = Config.fromfile(str(ROOT / CONFIG))
    config.model.optimize = optimize
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'init_tracker was called without')
        tracker = init_tracker(config, device='cpu', choose_threads=False)
    state = tracker.model.state_dict()
    tracker.model.load_state_dict(rule_made.weights(state))
    return tracker


def shipped_tracker(optimize=True):
    """The small model with the package's weights."""
    config = Config.fromfile(str(ROOT / SHIPPED))
    config.model.optimize = optimize
    return init_tracker(config, device='cpu', choose_threads=False)


def track(tracker, steps):
    """What a tracker says in so many frames behind the first.

    Returns:
        dict[str, ndarray]: ``bbox`` (N, 4), ``score`` (N,), ``polygon``
        (N, 4, 2), ``mask`` (N, H * W / 8) uint8, packed bits.
    """
    first, *rest = rule_made.frames(steps + 1)
    tracker.init(first, rule_made.TARGET)
    results = [tracker.update(frame) for frame in rest]
    return dict(
        bbox=np.stack([result.bbox for result in results]),
        score=np.array([result.score for result in results]),
        polygon=np.stack([result.polygon for result in results]),
        mask=np.stack([np.packbits(result.mask) for result in results]))
