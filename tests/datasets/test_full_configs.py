"""The two full mixes of data sets, on fake copies."""
import fake_layouts
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

# Pairs in an epoch, from the pairs that each set offers.
SHARES = dict(
    siamattn_full=dict(coco=117266, youtube_vos=150000, lasot=200000,
                       trackingnet=200000, got10k=150000),
    siamattn_older_mix=dict(imagenet_vid=150000, imagenet_det=100000,
                            youtube_bb=200000, coco=117266,
                            youtube_vos=150000))


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    """All fake copies."""
    return fake_layouts.make_all(tmp_path_factory.mktemp('data'))


@pytest.mark.parametrize('name', list(SHARES))
def test_a_batch_of_the_mix(repository, roots, name):
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets' / f'{name}.py'))
    assert set(config.train_dataloader.dataset.sources) == set(SHARES[name])
    # As --cfg-options does it.
    config.merge_from_dict(fake_layouts.cfg_options(config, roots))
    assert config.train_dataloader.batch_size == 28
    config.train_dataloader.update(
        num_workers=0, persistent_workers=False, batch_size=12)
    with DefaultScope.overwrite_default_scope('mmtrack'):
        loader = Runner.build_dataloader(config.train_dataloader, seed=0)
    dataset = loader.dataset
    assert len(dataset) == 600000
    total = sum(SHARES[name].values())
    ends = [dataset.source_of(i) for i in range(0, 600000, 100)]
    for source, pairs in SHARES[name].items():
        assert ends.count(source) == pytest.approx(
            6000 * pairs / total, abs=1)
    samples = []
    for _, batch in zip(range(4), loader):
        assert batch['inputs']['img'].shape == (12, 1, 3, 127, 127)
        assert batch['inputs']['search_img'].shape == (12, 1, 3, 255, 255)
        samples += batch['data_samples']
    assert {sample.source for sample in samples} == set(SHARES[name])
    for sample in samples:
        found = 'masks' in sample.search_gt_instances
        positive = bool(sample.search_gt_instances.labels[0])
        assert found == (positive
                         and sample.source in ('coco', 'youtube_vos'))
        if found:
            instances = sample.search_gt_instances
            rows, columns = np.nonzero(instances.masks.masks[0])
            edges = (columns.min() - .5, rows.min() - .5,
                     columns.max() + .5, rows.max() + .5)
            assert np.abs(instances.bboxes[0].numpy() - edges).max() < 3


def test_a_data_set_is_left_out(repository, roots):
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets/siamattn_full.py'))
    config.merge_from_dict(fake_layouts.cfg_options(config, roots))
    config.merge_from_dict(
        {'train_dataloader.dataset.sources.trackingnet': None})
    with DefaultScope.overwrite_default_scope('mmtrack'):
        dataset = Runner.build_dataloader(config.train_dataloader).dataset
    assert 'trackingnet' not in dataset.sources and len(dataset) == 600000


def test_where_to_set_a_missing_data_set(repository):
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets/siamattn_full.py'))
    config.merge_from_dict(
        {'train_dataloader.dataset.sources.coco.data_root': 'nowhere'})
    with DefaultScope.overwrite_default_scope('mmtrack'), pytest.raises(
            FileNotFoundError,
            match=r'train_dataloader\.dataset\.sources\.coco\.data_root'):
        Runner.build_dataloader(config.train_dataloader)
