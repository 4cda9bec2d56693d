"""Batches that need few open files on their way from a worker."""
import contextlib
import itertools
import os
import pickle

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import default_collate
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample
from torch.utils.data import DataLoader

from siamattn_mm.datasets import packed_collate
from siamattn_mm.datasets.storage.packed_collate import pack, unpack
from siamattn_mm.models import SOTDataPreprocessor

resource = pytest.importorskip('resource')
BATCH_SIZE = 32


class Pairs:
    """Packed pairs; every third has a mask."""

    def __len__(self):
        return 6 * BATCH_SIZE

    def __getitem__(self, index):
        sample = TrackDataSample(metainfo=dict(sample_id=(0, 1, index)))
        for key, size in (('gt_instances', 127), ('search_gt_instances',
                                                  255)):
            instances = InstanceData(
                bboxes=torch.tensor([[1., 2., index, size / 2]]),
                labels=torch.tensor([index % 2]))
            if index % 3 == 0:
                mask = np.full((1, size, size), index % 2, np.uint8)
                instances.masks = BitmapMasks(mask, size, size)
            setattr(sample, key, instances)
        return dict(
            inputs=dict(
                img=torch.full((1, 3, 127, 127), index, dtype=torch.uint8),
                search_img=torch.full((1, 3, 255, 255), index,
                                      dtype=torch.uint8)),
            data_samples=sample)


@contextlib.contextmanager
def few_files(more):
    """Let this process, and those it starts, open so many more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir('/proc/self/fd')}
    # The limit is one of numbers, of which the lowest free one is taken.
    free = (n for n in itertools.count() if n not in used)
    limit = next(itertools.islice(free, more, None))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def loader(collate, workers):
    # Whoever waits for a worker that cannot send shall not wait for ever.
    return DataLoader(
        Pairs(), batch_size=BATCH_SIZE, num_workers=workers,
        collate_fn=collate, timeout=20 if workers else 0)


def equal(batch, other):
    for key, value in other['inputs'].items():
        assert torch.equal(batch['inputs'][key], value)
    assert len(batch['data_samples']) == len(other['data_samples'])
    for one, two in zip(batch['data_samples'], other['data_samples']):
        assert one.metainfo == two.metainfo
        for key in ('gt_instances', 'search_gt_instances'):
            first, second = one.get(key), two.get(key)
            assert sorted(first.keys()) == sorted(second.keys())
            for name in ('bboxes', 'labels'):
                assert first[name].dtype == second[name].dtype
                assert torch.equal(first[name], second[name])
            if 'masks' in second:
                assert np.array_equal(first.masks.masks, second.masks.masks)


@pytest.mark.skipif(
    not os.path.isdir('/proc/self/fd'), reason='open files are unknown')
def test_few_open_files_are_enough():
    # What this process has open already is not part of it.
    with few_files(more=40):
        batches = list(loader(packed_collate, workers=2))
    for batch, expected in zip(batches, loader(default_collate, workers=0)):
        equal(batch, expected)


@pytest.mark.skipif(
    not os.path.isdir('/proc/self/fd'), reason='open files are unknown')
def test_the_limit_is_one():
    """With mmengine's function, a batch alone is too much."""
    batches = iter(loader(default_collate, workers=1))
    with few_files(more=40), pytest.raises(
            (RuntimeError, OSError), match='ancdata|open files'):
        next(batches)


def test_without_workers_it_is_mmengines():
    for batch, expected in zip(
            loader(packed_collate, 0), loader(default_collate, 0)):
        equal(batch, expected)
        assert isinstance(batch['data_samples'], list)


def test_samples_are_a_plain_list_elsewhere():
    batch = packed_collate([Pairs()[i] for i in range(3)])
    found = pickle.loads(pickle.dumps(batch))
    assert type(found['data_samples']) is list
    equal(found, batch)


@pytest.mark.parametrize('value', [
    torch.arange(5, dtype=torch.float64),
    torch.ones(2, 3).t(),
    torch.zeros(0, 4),
    torch.tensor(3),
    torch.ones(3, dtype=torch.bfloat16),
    torch.ones(3, requires_grad=True),
    torch.ones(4, dtype=torch.bool),
])
def test_every_tensor_arrives(value):
    found = unpack(*pack([1, value, value.detach() + 1]))
    assert found[0] == 1
    for one, two in zip(found[1:], (value, value.detach() + 1)):
        assert one.dtype == two.dtype and torch.equal(one, two)
    with torch.no_grad():
        found[1].zero_()  # may be written to


def test_nothing_to_pack():
    assert unpack(*pack([])) == []


def test_the_preprocessor_takes_either_form():
    pairs = [Pairs()[i] for i in range(3)]
    model = SOTDataPreprocessor()
    stacked = model(packed_collate(pairs), training=True)
    listed = model(FUNCTIONS.get('pseudo_collate')(pairs), training=True)
    equal(stacked, listed)


def test_a_config_can_name_it():
    built = Runner.build_dataloader(
        dict(
            dataset=Pairs(),
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=2,
            collate_fn=dict(type='packed_collate')))
    equal(next(iter(built)), packed_collate([Pairs()[0], Pairs()[1]]))
