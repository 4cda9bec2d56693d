"""Tests of configs/_base_/datasets/wide_train.py on the real data."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmtrack.registry import DATASETS

ROOTS = ('data/train_images/', 'data/train_stills/', 'data/train_sequences/',
         'data/train_videos/')


@pytest.fixture(scope='module')
def dataset_cfg(repository, shared):
    """The data set with its data's place set as a user would."""
    cfg = Config.fromfile(
        str(repository / 'configs/_base_/datasets/wide_train.py'))
    sources = cfg.train_dataloader.dataset.sources
    for source in sources.values():
        assert source.data_root.startswith(ROOTS)
    cfg.merge_from_dict({
        f'train_dataloader.dataset.sources.{name}.data_root':
        str(shared / source.data_root)
        for name, source in sources.items()
    })
    return cfg.train_dataloader.dataset


@pytest.fixture(scope='module')
def dataset(dataset_cfg):
    # These are videos there, not frames.
    dataset_cfg = dataset_cfg.copy()
    dataset_cfg.sources = dict(
        dataset_cfg.sources, more_video=None, sky=None)
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return DATASETS.build(dataset_cfg)


def test_shares_are_those_that_it_says(dataset_cfg):
    pairs = {name: source.pairs_per_epoch
             for name, source in dataset_cfg.sources.items()}
    kinds = dict(video=0, stills=0, synthetic=0, regions=0)
    for name, source in dataset_cfg.sources.items():
        kinds[dict(
            SequenceFolderSource='video', CocoSource='stills',
            SyntheticSource='synthetic',
            RegionSource='regions')[source.type]] += pairs[name]
    total = sum(pairs.values())
    assert total == 20970
    assert [round(100 * kind / total) for kind in kinds.values()] == [
        50, 40, 4, 6]


def test_pairs_of_every_source(dataset):
    assert len(dataset) == 20970 - 4600 - 900
    places = {}
    for place in range(0, len(dataset), 20):
        places.setdefault(dataset.source_of(place), []).append(place)
    assert set(places) == set(dataset.sources)
    masks = {}
    for name, found in places.items():
        for place in found[:2]:
            pair = dataset[place]
            sample = pair['data_samples']
            assert sample.source == name
            assert pair['inputs']['img'].shape == (1, 3, 127, 127)
            assert pair['inputs']['search_img'].shape == (1, 3, 255, 255)
            box = sample.search_gt_instances.bboxes[0].numpy()
            assert np.isfinite(box).all() and (box[2:] > box[:2]).all()
            masks[name] = (masks.get(name)
                           or 'masks' in sample.search_gt_instances)
    assert not masks['regions']
