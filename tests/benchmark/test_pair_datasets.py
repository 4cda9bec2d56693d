"""The same frames for both training pipelines."""
import pytest

from siamattn_mm.benchmark import BenchmarkError
from siamattn_mm.benchmark.pair_datasets import (
    MMTRACK_PIPELINE,
    build_datasets,
)


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


def test_both_make_pairs_of_the_same_sequences(pair_root):
    datasets = build_datasets(pair_root)
    for dataset in datasets.values():
        inputs = dataset[1]['inputs']
        assert inputs['img'].shape == (1, 3, 127, 127)
        assert inputs['search_img'].shape == (1, 3, 255, 255)
    assert len(datasets['mmtrack']) == len(datasets['ours']) == 2


def test_too_few_sequences(pair_root):
    with pytest.raises(BenchmarkError, match='two sequences.*there is'):
        build_datasets(pair_root, ['a', 'c'])
