"""Three small sequences, and the results of two trackers."""
import cv2
import numpy as np
import pytest

from siamattn_mm.evaluation.result_files import write_mask, write_rows

COUNT, SIZE = 6, (80, 60)


@pytest.fixture(scope='session')
def material(tmp_path_factory):
    """`good` is 1 px off in x; `bad` is 9 px off and stays in `b`.

    In `c` the target is absent in frame 3; `a` has masks.
    """
    root = tmp_path_factory.mktemp('report')
    rng = np.random.default_rng(0)
    truth = np.array([[20. + i, 20, 16, 12] for i in range(COUNT)])
    for name in 'abc':
        (root / 'data' / name / 'img').mkdir(parents=True)
        for i in range(COUNT):
            frame = rng.integers(0, 120, (SIZE[1], SIZE[0], 3), np.uint8)
            cv2.imwrite(str(root / 'data' / name / 'img' / f'{i}.png'), frame)
        boxes = truth.copy()
        if name == 'c':
            boxes[3] = np.nan
        write_rows(str(root / 'data' / name / 'groundtruth.txt'), boxes, 2)
        for tracker, shift in (('good', 1), ('bad', 9)):
            pred = truth + [shift, 0, 0, 0]
            if (tracker, name) == ('bad', 'b'):
                pred[:] = pred[0]
            base = str(root / tracker / 'results' / name)
            write_rows(f'{base}.txt', pred, 4)
            scores = np.r_[-1., np.linspace(.9, .5, COUNT - 1)]
            scores[3] = .1
            write_rows(f'{base}_score.txt', scores, 6)
            write_rows(f'{base}_time.txt', np.full(COUNT, .05), 6)
    for i in range(COUNT):
        mask = np.zeros(SIZE[::-1], bool)
        mask[20:32, 20 + i:36 + i] = True
        write_mask(str(root / 'data' / 'a' / 'masks' / f'{i}.png'), mask)
        mask[:26] = False  # half of it
        write_mask(str(root / 'good' / 'results' / 'a' / f'{i}.png'), mask)
    return root


@pytest.fixture
def sequences(material):
    from siamattn_mm.datasets import SOTFolderDataset
    from siamattn_mm.visualization.report import sequences_of
    dataset = SOTFolderDataset(
        data_root=str(material / 'data'), pipeline=[], test_mode=True)
    return sequences_of(dataset, dict(a=['blur'], c=['blur', 'out of view']))


@pytest.fixture
def folders(material):
    from siamattn_mm.visualization.report import ResultFolder
    return [ResultFolder(str(material / name)) for name in ('good', 'bad')]
