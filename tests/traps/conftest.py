"""Two short videos with masks, for mmtrack's data sets and ours."""
import cv2
import mmtrack
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

SIZE = (160, 120)  # width, height
LENGTH = 24


@pytest.fixture(scope='module', autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmtrack'):
        yield


@pytest.fixture(scope='session')
def video_root(tmp_path_factory):
    """Sequences `a` and `b`: a bright rectangle that moves, and its mask."""
    root = tmp_path_factory.mktemp('traps') / 'video'
    for name, colour in (('a', (40, 220, 255)), ('b', (255, 220, 40))):
        for folder in ('img', 'masks'):
            (root / name / folder).mkdir(parents=True)
        lines = []
        for i in range(LENGTH):
            x, y, w, h = 50 + i, 40 + i // 2, 30, 24
            img = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
            img[y:y + h, x:x + w] = colour
            mask = np.zeros(img.shape[:2], np.uint8)
            mask[y:y + h, x:x + w] = 255
            cv2.imwrite(str(root / name / 'img' / f'{i:04d}.png'), img)
            cv2.imwrite(str(root / name / 'masks' / f'{i:04d}.png'), mask)
            lines.append(f'{x},{y},{w},{h}')
        (root / name / 'groundtruth.txt').write_text('\n'.join(lines))
    return str(root)


@pytest.fixture(scope='session')
def mmtrack_config():
    """mmtrack's own SiamRPN++ training config."""
    path = (f'{mmtrack.__path__[0]}/.mim/configs/sot/siamese_rpn/'
            'siamese-rpn_r50_8xb28-20e_imagenetvid-imagenetdet-coco_base.py')
    return Config.fromfile(path)
