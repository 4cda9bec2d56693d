"""The backbone is frozen, then trained: through real Runners."""
import copy
import multiprocessing
import os

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmtrack.registry import DATASETS, MODELS
from torch.utils.data import Dataset

from siamattn_mm.engine import BackboneFreezeHook

RESNET = dict(
    type='SiamAttnResNet',
    base_channels=4,
    stem_channels=4,
    frozen_stages=1,
    norm_eval=True)
MOBILENET = dict(
    type='SiamMobileNetV2', widen_factor=.25, frozen_stages=1, norm_eval=True)
# Name of a module that is never trained, and of one that is in the end.
STAGES = dict(
    SiamAttnResNet=('layer1', 'layer2'), SiamMobileNetV2=('layer1', 'layer3'))


@MODELS.register_module(force=True)
class BackboneAndMean(BaseModel):
    """A backbone and one more weight."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.head = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, data_samples=None, mode='loss'):
        out = self.backbone(torch.stack(list(inputs)))[-1]
        return dict(loss=(out.mean() * self.head - 1)**2)


@DATASETS.register_module(force=True)
class NoiseImages(Dataset):
    """Four images of noise."""

    metainfo = dict(classes=('object', ))

    def __len__(self):
        return 4

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        return dict(inputs=torch.rand(3, 47, 47, generator=generator) * 9)


class Recorder(Hook):
    """What each iteration did to the backbone."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._before = copy.deepcopy(_module(runner).state_dict())
        self._grads = {}
        _module(runner)._grads = self._grads
        optimizer = runner.optim_wrapper.optimizer
        self._handle = optimizer.register_step_pre_hook(
            lambda *_: self._grads.update(
                (name, p.grad is not None)
                for name, p in _module(runner).named_parameters()))

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self._handle.remove()
        after = _module(runner).state_dict()
        runner.record.append((runner.epoch, self._grads, {
            name: not torch.equal(value, self._before[name])
            for name, value in after.items()
        }))


def _module(runner):
    return getattr(runner.model, 'module', runner.model)


def train(work_dir, backbone=RESNET, epochs=4, frozen=2, frozen_stages=4,
          optimizer=None, scheduler=None, name='', **options):
    """Run some epochs of two iterations; gives the Runner."""
    cfg = Config(
        dict(
            model=dict(type='BackboneAndMean', backbone=backbone),
            work_dir=str(work_dir),
            experiment_name=str(work_dir) + name,
            default_scope='mmtrack',
            log_level='WARNING',
            randomness=dict(seed=0),
            train_cfg=dict(type='ExactEpochTrainLoop', max_epochs=epochs),
            train_dataloader=dict(
                batch_size=2,
                sampler=dict(type='DefaultSampler', shuffle=False),
                dataset=dict(type='NoiseImages')),
            optim_wrapper=dict(
                type='OptimWrapper',
                optimizer=optimizer or dict(
                    type='SGD', lr=.1, momentum=.9, weight_decay=.1),
                clip_grad=dict(max_norm=10.),
                paramwise_cfg=dict(
                    custom_keys=dict(backbone=dict(lr_mult=.1)))),
            param_scheduler=scheduler,
            default_hooks=dict(
                backbone=dict(
                    type='BackboneFreezeHook',
                    epochs=frozen,
                    frozen_stages=frozen_stages)),
            **options))
    runner = Runner.from_cfg(cfg)
    runner.record = []
    runner.register_hook(Recorder())
    runner.train()
    return runner


def check(runner, backbone_type, first_trained_epoch=2):
    """Nothing moves before the epoch; the trained stages do after it."""
    never, later = STAGES[backbone_type]
    seen = set()
    for epoch, grads, changed in runner.record:
        seen.add(epoch)
        trained = epoch >= first_trained_epoch
        for name, has_grad in grads.items():
            if not name.startswith('backbone.'):
                assert has_grad
            elif name.startswith((f'backbone.{never}.', 'backbone.conv1',
                                  'backbone.bn1')) or not trained:
                assert not has_grad and not changed[name], (epoch, name)
        weights = [
            name for name in changed if name.startswith(f'backbone.{later}.')
            and 'weight' in name
        ]
        assert weights
        for name in weights:
            assert changed[name] == trained, (epoch, name)
    return seen


@pytest.mark.parametrize('backbone', [RESNET, MOBILENET],
                         ids=['resnet', 'mobilenet'])
def test_frozen_then_trained(tmp_path, backbone):
    stages = 4 if backbone is RESNET else 5
    runner = train(tmp_path, backbone, frozen_stages=stages)
    assert check(runner, backbone['type']) == {0, 1, 2, 3}


@pytest.mark.parametrize('optimizer', ['SGD', 'AdamW'])
def test_weight_decay_leaves_frozen_stages_alone(tmp_path, optimizer):
    optimizer = dict(type=optimizer, lr=.1, weight_decay=.5)
    runner = train(tmp_path, epochs=2, optimizer=optimizer)
    assert check(runner, 'SiamAttnResNet') == {0, 1}


@pytest.mark.parametrize('norm_eval', [True, False])
def test_statistics_follow_norm_eval(tmp_path, norm_eval):
    runner = train(tmp_path, dict(RESNET, norm_eval=norm_eval))
    for epoch, _, changed in runner.record:
        moved = {
            name for name, value in changed.items()
            if 'running_' in name and value
        }
        if norm_eval or epoch < 2:
            assert not moved
        else:
            assert {name.split('.')[1] for name in moved
                    } == {'layer2', 'layer3', 'layer4'}


def test_a_tenth_of_the_learning_rate(tmp_path):
    scheduler = [dict(type='ExponentialLR', gamma=.5, by_epoch=True)]
    runner = train(tmp_path, scheduler=scheduler)
    rates = {
        name: group['lr']
        for group in runner.optim_wrapper.optimizer.param_groups
        for name, parameter in runner.model.named_parameters()
        if parameter is group['params'][0]
    }
    assert rates['head'] <= .1 * .5**3
    assert rates['backbone.layer2.0.conv1.weight'] == pytest.approx(
        rates['head'] / 10)


@pytest.mark.parametrize('stop', [1, 2, 3])
def test_resumed_before_at_and_after_the_epoch(tmp_path, stop):
    whole = train(tmp_path / 'whole')
    train(tmp_path / 'parts', epochs=stop)
    resumed = train(tmp_path / 'parts', name='again', resume=True)
    assert check(resumed, 'SiamAttnResNet') == set(range(stop, 4))
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_resumed_in_the_middle_of_an_epoch(tmp_path):
    whole = train(tmp_path / 'whole')
    work_dir = tmp_path / 'parts'
    hooks = [dict(type='CheckpointHook', by_epoch=False, interval=1)]
    train(work_dir, epochs=3, custom_hooks=hooks)
    # The third epoch is the first with a trained backbone.
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_5.pth'))
    resumed = train(work_dir, name='again', resume=True)
    assert [epoch for epoch, *_ in resumed.record] == [2, 3, 3]
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_mmtracks_hook_never_trains_the_backbone(tmp_path):
    """Trap 1: why there is a hook of our own."""
    backbone = dict(RESNET, frozen_stages=4)
    cfg = dict(
        type='SiamRPNBackboneUnfreezeHook',
        backbone_start_train_epoch=1,
        backbone_train_layers=['layer2', 'layer3', 'layer4'])
    with DefaultScope.overwrite_default_scope('mmtrack'):
        runner = Runner.from_cfg(
            Config(
                dict(
                    model=dict(type='BackboneAndMean', backbone=backbone),
                    work_dir=str(tmp_path),
                    experiment_name=str(tmp_path),
                    default_scope='mmtrack',
                    log_level='WARNING',
                    train_cfg=dict(by_epoch=True, max_epochs=3),
                    train_dataloader=dict(
                        batch_size=2,
                        sampler=dict(type='DefaultSampler', shuffle=False),
                        dataset=dict(type='NoiseImages')),
                    optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1)),
                    custom_hooks=[cfg])))
    runner.record = []
    runner.register_hook(Recorder())
    runner.train()
    assert not any(
        changed[name] for _, _, changed in runner.record for name in changed
        if name.startswith('backbone.') and 'weight' in name)


def test_refused(tmp_path):
    with pytest.raises(ValueError, match='frozen_stages=4.*nothing is left'):
        train(tmp_path, dict(RESNET, frozen_stages=4))
    with pytest.raises(ValueError, match='SiamAttnResNet has no such stage'):
        train(tmp_path, frozen_stages=5, name='5')
    with pytest.raises(ValueError, match='0 or more, but got -1'):
        BackboneFreezeHook(epochs=-1)


def _one_of_two(rank, folder):
    """Train as one of two processes, and keep the weights."""
    os.environ.update(LOCAL_RANK=str(rank))
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=2)
    runner = train(
        folder,
        epochs=3,
        launcher='pytorch',
        model_wrapper_cfg=dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=True))
    assert check(runner, 'SiamAttnResNet') == {0, 1, 2}
    torch.save(runner.model.module.state_dict(), f'{folder}/{rank}.pth')


def test_two_processes_train_one_backbone(tmp_path):
    # Forked: to import everything again would take longer than the test.
    context = multiprocessing.get_context('fork')
    processes = [
        context.Process(target=_one_of_two, args=(rank, tmp_path))
        for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    states = [torch.load(str(tmp_path / f'{rank}.pth')) for rank in (0, 1)]
    # Each has its own images: equal weights mean averaged gradients.
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name
