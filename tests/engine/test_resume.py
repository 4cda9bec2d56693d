"""Runs that were killed end as if they had not been."""
import contextlib
import copy
import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.fileio import LocalBackend
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from siamattn_mm.commands.check_training.differences import differences
from siamattn_mm.utils import load_weights

NUMBERS = itertools.count()


class Killed(BaseException):
    """Nothing in mmengine catches this."""


class KillAt(Hook):
    """Ends the run in an iteration, before anything of it is saved."""

    priority = 'VERY_HIGH'

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, *args, **kwargs):
        if runner.iter == self.iteration:
            raise Killed


class Points(Dataset):
    """14 points, each from its seed, epoch and place."""

    metainfo = dict()

    def __init__(self):
        self.loaded = []

    def __len__(self):
        return 14

    def __getitem__(self, index):
        self.loaded.append(index)
        seed = index if isinstance(index, tuple) else (int(index), )
        point = np.random.default_rng(seed).normal(size=4)
        return dict(inputs=point.astype(np.float32))


class Net(BaseModel):
    """Has a running mean, and draws random numbers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5),
            nn.Linear(8, 2))

    def forward(self, inputs, data_samples=None, mode='loss'):
        found = self.net(inputs)
        return dict(loss=F.mse_loss(found, torch.rand(found.shape)))


def config(work_dir, **options):
    """Three epochs of seven iterations; everything that has a state."""
    cfg = Config(dict(
        work_dir=str(work_dir),
        default_scope='mmtrack',
        # Runners of one process share what has the same name.
        experiment_name=f'resume_{next(NUMBERS)}',
        log_level='WARNING',
        randomness=dict(seed=5),
        train_cfg=dict(type='ExactEpochTrainLoop', max_epochs=3),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='PairSampler')),
        optim_wrapper=dict(
            type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.01)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=10),
            dict(type='StepLR', step_size=1, gamma=0.5)
        ],
        default_hooks=dict(
            iter_seed=dict(type='IterSeedHook'),
            checkpoint=dict(
                type='WholeCheckpointHook', by_epoch=False, interval=3)),
        custom_hooks=[
            dict(type='EMAHook', momentum=0.1, update_buffers=True)
        ]))
    # Merging takes `_delete_` out of them.
    cfg.merge_from_dict(copy.deepcopy(options))
    return cfg


def train(cfg, kill_at=None, resume=False):
    """Train, perhaps until killed; returns the runner."""
    options = cfg.to_dict()
    options['train_dataloader']['dataset'] = Points()
    torch.manual_seed(0)
    runner = Runner(model=Net(), resume=resume, **options)
    if kill_at is not None:
        runner.register_hook(KillAt(kill_at))
    with contextlib.nullcontext() if kill_at is None else pytest.raises(
            Killed):
        runner.train()
    return runner


def last_state(work_dir):
    """All that a checkpoint holds but logs and dates, and the seed."""
    state = load_weights((work_dir / 'last_checkpoint').read_text())
    del state['message_hub']
    return state, state.pop('meta')['seed']


@pytest.fixture
def assert_equal():
    """Fails if two work directories do not end with the same."""

    def _assert_equal(first, second):
        gaps = differences(last_state(first)[0], last_state(second)[0])
        assert len(gaps) > 60  # weights, averages, moments, schedules
        assert {name: gap for name, gap in gaps.items() if gap} == {}

    return _assert_equal


ENDLESS = {
    'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=21),
    'train_dataloader.sampler.type': 'InfinitePairSampler',
    # The second one counts epochs, of which this loop has one.
    'param_scheduler.1.by_epoch': False,
    'param_scheduler.1.step_size': 7
}
CASES = {
    'in_the_first_epoch': ([5], {}),
    'in_the_second_epoch': ([10], {}),
    'before_the_first_checkpoint': ([1], {}),
    'right_behind_an_epoch': ([7], {'default_hooks.checkpoint.interval': 7}),
    'at_the_end_of_an_epoch': ([6], {}),
    'three_times': ([4, 4, 13], {}),
    'workers': ([11], {
        'train_dataloader.num_workers': 2,
        'train_dataloader.persistent_workers': True
    }),
    'endless': ([10], ENDLESS),
    'accumulating': ([10], {'optim_wrapper.accumulative_counts': 3}),
    'by_epoch': ([10], {
        'default_hooks.checkpoint.by_epoch': True,
        'default_hooks.checkpoint.interval': 1
    }),
    'one_checkpoint': ([10], {'default_hooks.checkpoint.max_keep_ckpts': 1}),
    'mmengines_sampler': ([10], {
        'train_dataloader.sampler.type': 'mmengine.DefaultSampler'
    }),
    'mixed_precision': ([10], {'optim_wrapper.type': 'AmpOptimWrapper'}),
}


@pytest.mark.parametrize('case', list(CASES))
def test_resumed_run_ends_with_the_same(tmp_path, assert_equal, case):
    kills, options = CASES[case]
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    train(config(whole, **options))
    for i, iteration in enumerate(kills):
        train(config(killed, **options), iteration, i > 0)
    train(config(killed, **options), resume=True)
    assert_equal(whole, killed)


@pytest.mark.parametrize('lacking', [
    {'train_cfg.type': 'EpochBasedTrainLoop'},
    {'default_hooks.iter_seed.type': 'IterTimerHook'},
])
def test_without_one_of_the_parts_it_does_not(tmp_path, assert_equal,
                                              lacking):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    train(config(whole, **lacking))
    train(config(killed, **lacking), kill_at=10)
    train(config(killed, **lacking), resume=True)
    with pytest.raises(AssertionError):
        assert_equal(whole, killed)


def test_the_seed_that_was_drawn_goes_on(tmp_path, assert_equal):
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    options = {'randomness.seed': None}
    train(config(killed, **options), kill_at=10)
    train(config(killed, **options), resume=True)
    train(config(whole, **{'randomness.seed': last_state(killed)[1]}))
    assert_equal(whole, killed)


def test_what_was_trained_on_is_not_loaded(tmp_path):
    train(config(tmp_path), kill_at=10)
    dataset = train(config(tmp_path), resume=True).train_dataloader.dataset
    # Of epoch 1 the last 5 of 7 iterations, then epoch 2.
    assert [index.epoch for index in dataset.loaded] == [1] * 10 + [2] * 14
    assert len(set(dataset.loaded)) == 24


def test_place_that_is_not_in_the_epoch(tmp_path, capfd):
    train(config(tmp_path), kill_at=10)
    options = {'train_dataloader.batch_size': 7}
    runner = train(config(tmp_path, **options), resume=True)
    assert 'iteration 9, which is not in epoch 1 of 2' in capfd.readouterr(
    ).out
    assert len(runner.train_dataloader.dataset.loaded) == 28


# -- checkpoints ----------------------------------------------------------


@pytest.mark.parametrize('share', [0., 0.5])
@pytest.mark.parametrize('max_keep_ckpts', [-1, 1])
def test_killed_while_saving(tmp_path, monkeypatch, assert_equal, share,
                             max_keep_ckpts):
    """The last good checkpoint is there and found, and nothing is lost."""
    options = {'default_hooks.checkpoint.max_keep_ckpts': max_keep_ckpts}
    whole, killed = tmp_path / 'whole', tmp_path / 'killed'
    train(config(whole, **options))

    put = LocalBackend.put

    def put_a_part(self, content, path):
        if 'iter_9' in str(path):
            put(self, content[:int(share * len(content))], path)
            raise Killed
        put(self, content, path)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(LocalBackend, 'put', put_a_part)
        train(config(killed, **options))
    assert (killed / 'last_checkpoint').read_text() == str(
        killed / 'iter_6.pth')
    assert not (killed / 'iter_9.pth').exists()
    train(config(killed, **options), resume=True)
    assert_equal(whole, killed)
    # Nor is anything left behind.
    left = {path.name for path in killed.glob('**/*.pth*')}
    assert left == {path.name for path in whole.glob('**/*.pth*')}
    assert max_keep_ckpts < 0 or left == {'iter_21.pth'}


def test_accumulated_gradients_are_not_saved(tmp_path, capfd):
    options = {'optim_wrapper.accumulative_counts': 2}
    train(config(tmp_path / 'between', **options), kill_at=1)
    assert 'resuming is not exact' in capfd.readouterr().out
    options['default_hooks.checkpoint.interval'] = 4
    train(config(tmp_path / 'after', **options), kill_at=1)
    assert 'resuming is not exact' not in capfd.readouterr().out
