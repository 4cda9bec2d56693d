"""Both training pipelines over the same frames."""
import cv2
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from siamattn_mm.benchmark import BenchmarkError
from siamattn_mm.benchmark.pipelines import (
    MMTRACK_PIPELINE,
    PairStream,
    add_shares,
    build_datasets,
    measure_pipelines,
)


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmtrack'):
        yield


@pytest.fixture
def root(tmp_path):
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


def test_mmtracks_pipeline_is_mmtracks(mmtrack_train_pipeline):
    assert MMTRACK_PIPELINE == mmtrack_train_pipeline


@pytest.fixture
def mmtrack_train_pipeline():
    import mmtrack
    from mmengine.config import Config
    config = Config.fromfile(
        f'{mmtrack.__path__[0]}/.mim/configs/sot/siamese_rpn/'
        'siamese-rpn_r50_8xb28-20e_imagenetvid-imagenetdet-coco_base.py')
    return config.to_dict()['train_pipeline']


def test_both_make_pairs_of_the_same_sequences(root):
    datasets = build_datasets(root)
    for dataset in datasets.values():
        inputs = dataset[1]['inputs']
        assert inputs['img'].shape == (1, 3, 127, 127)
        assert inputs['search_img'].shape == (1, 3, 255, 255)
    assert len(datasets['mmtrack']) == len(datasets['ours']) == 2


@pytest.mark.parametrize('workers', [0, 1])
def test_figures(root, workers):
    done = []
    found = measure_pipelines(
        build_datasets(root),
        workers=workers,
        num_runs=2,
        batch_size=2,
        num_batches=2,
        advance=lambda: done.append(1))
    assert len(done) == 6  # one more run of each warms up
    assert found['workers'] == workers and found['pairs'] == 4
    assert found['mask_share'] == .5
    for key in ('ours', 'mmtrack', 'ratio'):
        assert 0 < found[key]['low'] <= found[key]['high']
    assert set(found['limits']) == {'make', 'collate', 'send', 'receive'}
    assert all(value > 0 for value in found['limits'].values())


def test_ours_alone(root):
    datasets = build_datasets(root)
    del datasets['mmtrack']
    found = measure_pipelines(
        datasets, workers=0, num_runs=1, batch_size=2, num_batches=2)
    assert found['ours']['median'] > 0
    assert 'mmtrack' not in found and 'ratio' not in found


def test_what_limits_the_trainer():

    def report(workers, rate, receive=.1):
        return dict(
            workers=workers, ours=dict(median=rate),
            limits=dict(make=8., collate=1., send=1., receive=receive))

    reports = [report(0, 90.), report(1, 100.), report(2, 180.),
               report(14, 300.), report(4, 200., receive=3.)]
    add_shares(reports, cores=4)
    assert [found['share'] for found in reports] == [
        None, 1., .9, .75, .5]
    assert [found['limit'] for found in reports] == [
        'workers', 'workers', 'workers', 'cores', 'trainer']
    other = [report(2, 180.)]
    add_shares(other, cores=4)
    assert other[0]['share'] is None


def test_every_run_makes_new_pairs():
    seen = []

    class Numbers:

        def __getitem__(self, index):
            seen.append(index)
            return index

    stream = PairStream(Numbers(), 0, batch_size=2, num_batches=2)
    assert stream.pairs_per_second() > 0
    stream.pairs_per_second()
    assert seen == list(range(12))


def test_too_few_sequences(root):
    with pytest.raises(BenchmarkError, match='two sequences.*there is'):
        build_datasets(root, ['a', 'c'])
