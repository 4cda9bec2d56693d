"""The full-scale training configs: data, schedule, two real steps."""
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmtrack.registry import DATASETS, MODELS
from narrow_models import narrow
from torch.utils.data import Dataset

FULL = [
    f'siamattn_r50_{name}.py'
    for name in ('released_8xb28-20e_full', 'paper_8xb28-20e_full',
                 'released_8xb28-20e_older-mix')
]
NEW = ['coco', 'youtube_vos', 'lasot', 'trackingnet', 'got10k']
OLDER = ['imagenet_vid', 'imagenet_det', 'youtube_bb', 'coco', 'youtube_vos']


@pytest.fixture(params=FULL)
def config(request, repository):
    """One of the configs."""
    return Config.fromfile(
        str(repository / 'configs' / 'siamattn' / request.param))


def test_scale(config):
    older = 'older-mix' in config.filename
    dataset = config.train_dataloader.dataset
    assert list(dataset.sources) == (OLDER if older else NEW)
    assert dataset.pairs_per_epoch == 600000
    # Eight GPUs, of which the file's name says the batch size, too.
    assert 8 * config.train_dataloader.batch_size == 224
    assert config.auto_scale_lr.base_batch_size == 224
    assert config.train_cfg.max_epochs == 20
    assert config.default_hooks.backbone.type == 'BackboneFreezeHook'
    # Without it DDP would miss the gradients of frozen stages.
    assert config.find_unused_parameters
    paper = 'paper' in config.filename
    assert config.model.refine_head.loss_mask.loss_weight == (
        .1 if paper else .4)


@MODELS.register_module(force=True)
class OneWeight(BaseModel):
    """A backbone and a head of one weight each."""

    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Linear(1, 1, bias=False)
        self.head = torch.nn.Linear(1, 1, bias=False)

    def forward(self, inputs, data_samples=None, mode='loss'):
        return dict(loss=self.head(self.backbone(torch.ones(1, 1))).sum())


@DATASETS.register_module(force=True)
class OneSample(Dataset):
    """Nothing, once."""

    metainfo = dict(classes=('object', ))

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return dict(inputs=torch.zeros(1))


class Rates(Hook):
    """Learning rates of each epoch."""

    def __init__(self):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        groups = runner.optim_wrapper.optimizer.param_groups
        self.seen.append({
            name: group['lr']
            for group in groups
            for name, parameter in runner.model.named_parameters()
            if parameter is group['params'][0]
        })


def test_learning_rate_of_each_epoch(repository, tmp_path, monkeypatch):
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    schedule = Config.fromfile(
        str(repository / 'configs/_base_/schedules/sgd_20e.py'))
    runner = Runner(
        model=dict(type='OneWeight'),
        work_dir=str(tmp_path),
        experiment_name=tmp_path.name,
        default_scope='mmtrack',
        train_dataloader=dict(
            batch_size=1,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(type='OneSample')),
        train_cfg=schedule.train_cfg,
        optim_wrapper=schedule.optim_wrapper,
        param_scheduler=schedule.param_scheduler,
        log_level='WARNING')
    rates = Rates()
    runner.register_hook(rates)
    runner.train()
    head = [rate['head.weight'] for rate in rates.seen]
    print(*(f'epoch {i}: {rate:.6f}' for i, rate in enumerate(head, 1)),
          sep='\n')
    np.testing.assert_allclose(head[:5], [1e-3, 2e-3, 3e-3, 4e-3, 5e-3])
    np.testing.assert_allclose(head[5:], np.geomspace(5e-3, 5e-4, 15))
    np.testing.assert_allclose(
        [rate['backbone.weight'] for rate in rates.seen], np.array(head) / 10)


class Changes(Hook):
    """Which weights each step changes, and what it gives."""

    def __init__(self):
        self.changed, self.outputs = [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._before = {
            k: v.clone() for k, v in runner.model.named_parameters()
        }

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self.changed.append({
            name for name, parameter in runner.model.named_parameters()
            if not torch.equal(parameter, self._before[name])
        })
        self.outputs.append(outputs)


def test_backbone_takes_sot_resnets_weights(config, tmp_path):
    backbone = dict(config.model.backbone, base_channels=4, stem_channels=4)
    init_cfg = backbone.pop('init_cfg')
    assert init_cfg['type'] == 'Pretrained'
    assert init_cfg['checkpoint'].endswith('/sot_resnet50.model')
    # A file as that one is: of mmtrack's SOTResNet, with a classifier.
    theirs = dict(backbone, type='SOTResNet', out_indices=(1, 2, 3))
    with DefaultScope.overwrite_default_scope('mmtrack'):
        weights = MODELS.build(theirs).state_dict()
        for name, value in weights.items():
            if value.is_floating_point():
                weights[name] = torch.rand_like(value)
        path = str(tmp_path / 'sot_resnet50.model')
        torch.save(dict(weights, **{'fc.weight': torch.rand(10, 128)}), path)
        ours = MODELS.build(
            dict(backbone, init_cfg=dict(type='Pretrained', checkpoint=path)))
        ours.init_weights()
    assert set(ours.state_dict()) == set(weights)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, weights[name]), name


@pytest.fixture
def fake_config(config, repository, tmp_path, monkeypatch):
    """Reads fake copies of its data sets, two pairs an epoch."""
    monkeypatch.syspath_prepend(str(repository / 'tests'))
    from fake_layouts import cfg_options, make_all
    sources = list(config.train_dataloader.dataset.sources)
    config.merge_from_dict(cfg_options(config, make_all(tmp_path, sources)))
    config.train_dataloader.update(
        batch_size=2, num_workers=0, persistent_workers=False)
    config.merge_from_dict(
        dict(
            # The weights' address is not asked for in a test.
            model=dict(backbone=dict(init_cfg=None)),
            work_dir=str(tmp_path / 'work'),
            experiment_name=tmp_path.name,
            visualizer=dict(name=tmp_path.name)))
    return config


def test_every_data_set_gives_pairs(fake_config):
    cfg = fake_config.train_dataloader.dataset
    with DefaultScope.overwrite_default_scope('mmtrack'):
        dataset = DATASETS.build(cfg)
    assert len(dataset) == 600000
    places = {dataset.source_of(i): i for i in range(0, 600000, 1000)}
    assert set(places) == set(cfg.sources)
    for name, place in places.items():
        pair = dataset[place]
        assert pair['data_samples'].source == name
        assert pair['inputs']['search_img'].shape == (1, 3, 255, 255)


def test_two_real_steps(fake_config):
    narrow(fake_config)
    fake_config.merge_from_dict(
        dict(
            # One step with a frozen backbone, one with a trained one.
            train_cfg=dict(max_epochs=2),
            default_hooks=dict(
                backbone=dict(epochs=1), train_images=dict(interval=2)),
            train_dataloader=dict(
                dataset=dict(pairs_per_epoch=2, neg_prob=0.)),
            val_cfg=None,
            val_dataloader=None,
            val_evaluator=None))
    runner = Runner.from_cfg(fake_config)
    changes = Changes()
    runner.register_hook(changes)
    runner.train()
    first, second = changes.changed
    assert not any(name.startswith('backbone.') for name in first)
    assert {name.split('.')[1] for name in second
            if name.startswith('backbone.')} == {'layer2', 'layer3', 'layer4'}
    for part in ('neck', 'siamese_neck', 'head', 'refine_head'):
        assert any(name.startswith(f'{part}.') for name in first)
    for outputs in changes.outputs:
        assert all(torch.isfinite(value) for value in outputs.values())
