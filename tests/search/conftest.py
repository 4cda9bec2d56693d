"""A tiny model and tiny sequences."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

COUNT, SIZE = 4, (96, 64)


@pytest.fixture(scope='session')
def data_root(tmp_path_factory):
    """Two sequences of four frames; `b` has masks, `a` ends absent."""
    root = tmp_path_factory.mktemp('search')
    rng = np.random.default_rng(0)
    for name in 'ab':
        (root / name / 'img').mkdir(parents=True)
        for i in range(COUNT):
            frame = rng.integers(0, 90, (SIZE[1], SIZE[0], 3), np.uint8)
            frame[20:40, 30 + i:54 + i] = rng.integers(150, 250, 3)
            cv2.imwrite(str(root / name / 'img' / f'{i}.png'), frame)
        lines = [f'{30 + i},20,24,20' for i in range(COUNT)]
        if name == 'a':
            lines[-1] = 'nan,nan,nan,nan'
        (root / name / 'groundtruth.txt').write_text('\n'.join(lines))
    (root / 'b' / 'masks').mkdir()
    for i in range(COUNT):
        mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        # Most of the frame: untrained, the model is anywhere.
        cv2.ellipse(mask, (42 + i, 30), (50, 40), 0, 0, 360, 255, -1)
        cv2.imwrite(str(root / 'b' / 'masks' / f'{i}.png'), mask)
    return root


@pytest.fixture
def model(small_config):
    init_default_scope('mmtrack')
    torch.manual_seed(0)
    return MODELS.build(small_config.model).eval()
