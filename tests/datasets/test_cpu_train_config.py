"""Tests of configs/_base_/datasets/cpu_train.py on the real data."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

FOLDERS = dict(
    video='train_sequences', coco='train_images/coco128',
    animals='train_images/raccoon_kangaroo', fod='train_images/fod_tools',
    synthetic='train_images', regions='train_images/photos')


@pytest.fixture
def dataloader_cfg(repository, shared):
    """The config with the data's place set as a user would."""
    cfg = Config.fromfile(
        str(repository / 'configs/_base_/datasets/cpu_train.py'))
    cfg.merge_from_dict({
        f'train_dataloader.dataset.sources.{name}.data_root':
        str(shared / 'data' / folder)
        for name, folder in FOLDERS.items()
    })
    return cfg.train_dataloader


def build(cfg, seed=1):
    """What mmengine's runner builds."""
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return Runner.build_dataloader(cfg, seed=seed)


def test_batches_of_every_source(dataloader_cfg):
    dataloader_cfg.num_workers = 0
    dataloader_cfg.persistent_workers = False
    loader = build(dataloader_cfg)
    assert len(loader.dataset) == 4800
    samples = []
    for _, batch in zip(range(8), loader):
        assert batch['inputs']['img'].shape == (16, 1, 3, 127, 127)
        assert batch['inputs']['search_img'].shape == (16, 1, 3, 255, 255)
        samples += batch['data_samples']
    assert {s.source for s in samples} == set(FOLDERS)
    labels = [int(s.search_gt_instances.labels[0]) for s in samples]
    assert 0.65 < np.mean(labels) < 0.95
    with_mask = ['masks' in s.search_gt_instances for s in samples]
    assert 0.2 < np.mean(with_mask) < 0.6


def test_real_masks_fill_their_boxes(dataloader_cfg):
    dataset = dataloader_cfg.dataset
    dataset.neg_prob = 0
    dataset.sources.update(video=dict(
        dataset.sources.video, sequences='davis-*', pairs_per_epoch=40),
        animals=None, fod=None, regions=None)
    dataset.sources.coco.pairs_per_epoch = 40
    dataset.sources.synthetic.update(pairs_per_epoch=40, occluder_prob=0)
    dataloader_cfg.update(num_workers=0, persistent_workers=False)
    errors = []
    for batch in build(dataloader_cfg):
        for sample in batch['data_samples']:
            for instances in (sample.gt_instances, sample.search_gt_instances):
                if 'masks' not in instances:
                    continue
                rows, columns = np.nonzero(instances.masks.masks[0])
                edges = [columns.min() - 0.5, rows.min() - 0.5,
                         columns.max() + 0.5, rows.max() + 0.5]
                errors.append(
                    np.abs(instances.bboxes[0].numpy() - edges).max())
    assert len(errors) > 180
    # Thin parts of an outline get lost where a crop shrinks the image.
    assert np.median(errors) < 1.5 and np.mean(np.array(errors) < 6) > 0.9
