"""Tests of tools/browse_dataset.py."""
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
def browse(run_tool, tmp_path):
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
        return run_tool('browse_dataset', tmp_path / 'config.py', '--out',
                        tmp_path / 'out', *arguments)

    return run


def test_draws_pairs(browse, tmp_path):
    option = ('train_dataloader.dataset.sources.video.data_root='
              f'{tmp_path / "video"}')
    code, out, error = browse('--num', '5', '--per-sheet', '3',
                              '--cfg-options', option)
    assert code == 0, error
    sheets = sorted((tmp_path / 'out').iterdir())
    assert [path.name for path in sheets] == ['pairs_000.png',
                                              'pairs_001.png']
    assert str(sheets[1]) in out
    sheet = cv2.imread(str(sheets[0]))
    assert (sheet == (255, 0, 255)).all(axis=2).sum() > 3 * 60 * 60
    code, _, error = browse('--source', 'coco', '--cfg-options', option)
    assert code == 1 and 'no source coco' in error


def test_missing_data(browse):
    with pytest.raises(FileNotFoundError, match='sources.video.data_root'):
        browse()
