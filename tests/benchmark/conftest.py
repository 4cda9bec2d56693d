"""What every benchmark test needs."""
import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


@pytest.fixture
def pair_root(tmp_path):
    """Three sequences; only the first has masks, the last an absent frame."""
    for name, last in (('a', '8,8,20,16'), ('b', '9,8,20,16'), ('c', 'nan,' *
                                                                3 + 'nan')):
        (tmp_path / name / 'img').mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(
                str(tmp_path / name / 'img' / f'{i}.jpg'),
                np.full((48, 64, 3), 90, np.uint8))
        (tmp_path / name / 'groundtruth.txt').write_text(
            f'8,8,20,16\n8,8,20,16\n{last}\n')
    (tmp_path / 'a' / 'masks').mkdir()
    for i in range(3):
        cv2.imwrite(
            str(tmp_path / 'a' / 'masks' / f'{i}.png'),
            np.full((48, 64), 255, np.uint8))
    return str(tmp_path)
