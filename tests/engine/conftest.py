"""A Runner for tests of training: the small model on pairs of noise."""
import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmtrack.registry import DATASETS
from mmtrack.structures import TrackDataSample
from torch.utils.data import Dataset

TEMPLATE_BOX = (30, 40, 90, 80)
SEARCH_BOX = (80, 90, 170, 160)


def _instances(box, label, mask, size):
    instances = InstanceData(
        bboxes=torch.tensor([box], dtype=torch.float32) - 0.5,
        labels=torch.tensor([label]))
    if mask:
        pixels = np.zeros((1, size, size), np.uint8)
        pixels[:, box[1]:box[3], box[0]:box[2]] = 1
        instances.masks = BitmapMasks(pixels, size, size)
    return instances


@DATASETS.register_module(force=True)
class NoisePairs(Dataset):
    """Bright rectangles in noise, packed as PackSOTPair does.

    ``kinds`` says label and mask of each pair.
    """

    metainfo = dict(classes=('object', ))

    def __init__(self, kinds):
        self.kinds = list(kinds)

    def __len__(self):
        return len(self.kinds)

    def __getitem__(self, index):
        label, mask = self.kinds[index]
        noise = np.random.RandomState(index)
        sample = TrackDataSample(
            metainfo=dict(source='noise', sample_id=(0, 0, index)))
        inputs = {}
        for key, name, box, size in (
                ('img', 'gt_instances', TEMPLATE_BOX, 127),
                ('search_img', 'search_gt_instances', SEARCH_BOX, 255)):
            crop = noise.randint(0, 90, (1, 3, size, size)).astype(np.uint8)
            crop[..., box[1]:box[3], box[0]:box[2]] += 120
            inputs[key] = torch.from_numpy(crop)
            setattr(sample, name, _instances(box, label, mask, size))
        return dict(inputs=inputs, data_samples=sample)


@pytest.fixture
def runner_of(small_config, tmp_path):
    """Builds a Runner with the default runtime; options as --cfg-options."""
    count = 0

    def _runner_of(kinds, batch_size=2, epochs=1, **options):
        nonlocal count
        count += 1
        cfg = small_config.copy()
        cfg.merge_from_dict(
            dict(
                work_dir=str(tmp_path / 'work'),
                # Runners of one process share what has the same name.
                experiment_name=f'{tmp_path.name}_{count}',
                visualizer=dict(name=f'{tmp_path.name}_{count}'),
                train_cfg=dict(by_epoch=True, max_epochs=epochs),
                train_dataloader=dict(
                    batch_size=batch_size,
                    num_workers=0,
                    sampler=dict(type='DefaultSampler', shuffle=False),
                    dataset=dict(type='NoisePairs', kinds=kinds)),
                optim_wrapper=dict(
                    type='OptimWrapper',
                    optimizer=dict(type='SGD', lr=1e-3),
                    clip_grad=dict(max_norm=10.))))
        cfg.merge_from_dict(options)
        return Runner.from_cfg(cfg)

    return _runner_of
