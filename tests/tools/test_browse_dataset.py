"""Tests of tools/browse_dataset.py."""
import subprocess
import sys

import cv2
import numpy as np
import pytest

CONFIG = """
train_dataloader = dict(dataset=dict(
    type='SOTPairDataset',
    sources=dict(video=dict(type='SequenceFolderSource', data_root='unset',
                            pairs_per_epoch=10)),
    neg_prob=0,
    pipeline=[dict(type='SiamPairCrop'), dict(type='PackSOTPair')]))
"""


@pytest.fixture
def browse(repository, tmp_path):
    """Runs the tool on one sequence of four frames."""
    folder = tmp_path / 'video' / 'a'
    (folder / 'img').mkdir(parents=True)
    for i in range(4):
        img = np.full((60, 80, 3), 90, np.uint8)
        img[20:40, 30:50] = (255, 0, 255)
        cv2.imwrite(str(folder / 'img' / f'{i}.png'), img)
    (folder / 'groundtruth.txt').write_text('30,20,20,20\n' * 4)
    (tmp_path / 'config.py').write_text(CONFIG)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, str(repository / 'tools/browse_dataset.py'),
             str(tmp_path / 'config.py'), '--out', str(tmp_path / 'out'),
             *arguments],
            cwd=str(repository), env=dict(PYTHONPATH=str(repository)),
            capture_output=True, text=True, timeout=120)

    return run


def test_draws_pairs(browse, tmp_path):
    option = ('train_dataloader.dataset.sources.video.data_root='
              f'{tmp_path / "video"}')
    done = browse('--num', '5', '--per-sheet', '3', '--cfg-options', option)
    assert done.returncode == 0, done.stderr
    sheets = sorted((tmp_path / 'out').iterdir())
    assert [path.name for path in sheets] == ['pairs_000.png',
                                              'pairs_001.png']
    assert str(sheets[1]) in done.stdout
    sheet = cv2.imread(str(sheets[0]))
    assert (sheet == (255, 0, 255)).all(axis=2).sum() > 3 * 60 * 60
    done = browse('--source', 'coco', '--cfg-options', option)
    assert done.returncode != 0 and 'no source coco' in done.stderr


def test_missing_data(browse):
    done = browse()
    assert done.returncode != 0
    assert 'sources.video.data_root' in done.stderr
