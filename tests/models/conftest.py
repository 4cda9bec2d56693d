"""A model and a video for it."""
import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

HEIGHT, WIDTH = 120, 160


@pytest.fixture
def model(small_config):
    init_default_scope('mmtrack')
    return MODELS.build(small_config.model).eval()


@pytest.fixture(scope='session')
def frames():
    """A textured square that moves over noise."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8), (5, 5), 0)
    frames = []
    for i in range(4):
        frame = noise.copy()
        x, y = 60 + 3 * i, 40 + 2 * i
        frame[y:y + 24, x:x + 30] = (30, 200, 90)
        frame[y + 6:y + 12, x + 5:x + 25] = (250, 10, 40)
        frames.append(frame)
    return frames
