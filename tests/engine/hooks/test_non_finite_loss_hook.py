"""A nan stops training or is passed over; the weights never see it."""
import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmengine.utils import digit_version
from mmtrack.registry import DATASETS, MODELS
from mmtrack.structures import TrackDataSample
from torch.utils.data import Dataset

from siamattn_mm.engine import NonFiniteLossHook

SGD = dict(type='SGD', lr=1e-3, momentum=.9, weight_decay=.1)
ADAMW = dict(type='AdamW', lr=1e-3, weight_decay=.1)
# As on a GPU; PyTorch 2.4 is the first to have it on a CPU.
FUSED = [
    pytest.param(
        dict(one, fused=True),
        marks=pytest.mark.skipif(
            digit_version(torch.__version__) < digit_version('2.4'),
            reason='no fused optimizer on a CPU')) for one in (SGD, ADAMW)
]


@MODELS.register_module(force=True)
class TimesWeight(BaseModel):
    """A loss that is nan, infinite or has such gradients, by its input."""

    def __init__(self, norm=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(3))
        self.norm = torch.nn.BatchNorm1d(3) if norm else torch.nn.Identity()

    def forward(self, inputs, data_samples=None, mode='loss'):
        self.norm(torch.stack(list(inputs)))
        value = torch.stack(list(inputs)).mean()
        part = self.weight.sum()
        if value == 7:  # finite, with a gradient that is not
            part = part + (part - part).sqrt()
        return dict(loss_a=part * value, loss_b=part.square())


@DATASETS.register_module(force=True)
class Values(Dataset):
    """Numbers, the model's inputs."""

    metainfo = dict(classes=('object', ))

    def __init__(self, values):
        self.values = [float(value) for value in values]

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return dict(
            inputs=torch.full((3, ), self.values[index]),
            data_samples=TrackDataSample(
                metainfo=dict(sample_id=(0, 0, index))))


def train(tmp_path, values, norm=False, accumulate=1, optimizer=SGD,
          clip=dict(max_norm=10.), **hook):
    """Batches of one; gives the weights after each, and the error."""
    runner = Runner.from_cfg(
        Config(
            dict(
                model=dict(type='TimesWeight', norm=norm),
                work_dir=str(tmp_path),
                experiment_name=str(tmp_path),
                default_scope='mmtrack',
                train_cfg=dict(by_epoch=True, max_epochs=1),
                train_dataloader=dict(
                    batch_size=2 if norm else 1,
                    sampler=dict(type='DefaultSampler', shuffle=False),
                    dataset=dict(type='Values', values=values)),
                optim_wrapper=dict(
                    type='OptimWrapper',
                    accumulative_counts=accumulate,
                    optimizer=dict(optimizer),
                    clip_grad=clip and dict(clip)),
                custom_hooks=[dict(type='NonFiniteLossHook', **hook)])))
    weights = []
    original = runner.model.train_step

    def train_step(*args, **kwargs):
        outputs = original(*args, **kwargs)
        weights.append(copy.deepcopy(runner.model.weight.detach()))
        return outputs

    runner.model.train_step = train_step
    try:
        runner.train()
        error = None
    except FloatingPointError as caught:
        error = str(caught)
    assert torch.isfinite(runner.model.weight).all()
    return weights, error


@pytest.mark.parametrize('bad, words', [
    ('nan', 'loss_a is nan'),
    ('inf', 'loss_a is inf'),
    (7, 'the losses are finite here, but a gradient is not'),
])
def test_stop(tmp_path, bad, words):
    weights, error = train(tmp_path, [1, 1, bad, 1])
    assert f'epoch 1, iteration 3: {words}' in error
    assert 'samples (seed, epoch, index): [(0, 0, 2)]' in error
    assert len(weights) == 3
    assert torch.equal(weights[2], weights[1])
    assert not torch.equal(weights[1], weights[0])


@pytest.mark.parametrize('bad', ['nan', 'inf', 7])
def test_skip(tmp_path, bad):
    weights, error = train(tmp_path, [1, bad, 1], action='skip')
    assert error is None and len(weights) == 3
    # Neither weight decay nor momentum moves anything.
    assert torch.equal(weights[1], weights[0])
    assert not torch.equal(weights[2], weights[1])
    log = ''.join(p.read_text() for p in tmp_path.rglob('*.log'))
    assert 'epoch 1, iteration 2' in log and 'step skipped' in log


@pytest.mark.parametrize('optimizer', [SGD, ADAMW, *FUSED])
def test_any_optimizer_skips(tmp_path, optimizer):
    """The first step too, before there is any momentum."""
    clip = None if optimizer['type'] == 'SGD' else dict(max_norm=10.)
    kwargs = dict(optimizer=optimizer, clip=clip, action='skip')
    weights, error = train(tmp_path / 'a', ['nan', 1, 7, 1], **kwargs)
    assert error is None
    assert torch.equal(weights[0], torch.ones(3))
    assert torch.equal(weights[2], weights[1])
    # As if these batches had not been there, momentum and counts included.
    clean, _ = train(tmp_path / 'b', [1, 1], **kwargs)
    assert torch.equal(weights[3], clean[1])


@pytest.mark.parametrize('optimizer', FUSED)
def test_a_fused_step_is_not_waited_for(tmp_path, optimizer, monkeypatch):
    """Whether a gradient is finite is not read before the step."""
    reads = []
    is_true = torch.Tensor.__bool__

    def read(tensor):
        reads.append('read')
        return is_true(tensor)

    step = NonFiniteLossHook._check

    def check(*args):
        before = len(reads)
        step(*args)
        assert len(reads) == before

    monkeypatch.setattr(torch.Tensor, '__bool__', read)
    monkeypatch.setattr(NonFiniteLossHook, '_check', check)
    _, error = train(tmp_path, [1, 7], optimizer=optimizer)
    assert 'iteration 2: the losses are finite here' in error
    assert reads


@pytest.mark.skipif(
    not hasattr(torch.amp, 'GradScaler'), reason='no loss scaler on a CPU')
def test_a_loss_scaler_leaves_steps_out_itself():
    """A scale that is too large is no reason to stop."""
    weight = torch.nn.Parameter(torch.ones(3))
    wrapper = OptimWrapper(torch.optim.AdamW([weight], fused=True))
    hook = NonFiniteLossHook()
    hook.before_train(SimpleNamespace(optim_wrapper=wrapper))
    scaler = torch.amp.GradScaler('cpu', init_scale=2.**127)
    for factor, changes in ((100., False), (1e-38, True)):
        before = weight.detach().clone()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(wrapper.optimizer)
        scaler.update()
        wrapper.zero_grad()
        assert torch.equal(before, weight) is not changes
        assert not hook._dropped
    assert not hasattr(wrapper.optimizer, 'found_inf')


def test_too_many_in_a_row(tmp_path):
    values = ['nan', 1, 'nan', 'nan', 'nan', 1]
    weights, error = train(tmp_path, values, action='skip', max_skips=2)
    assert len(weights) == 5 and '3 steps in a row' in error


def test_lost_statistics_stop_a_skipping_run(tmp_path):
    _, error = train(
        tmp_path, [1, 2, 'nan', 1, 1, 2], norm=True, action='skip')
    assert 'running statistics' in error and 'norm.running_mean' in error


def test_a_nan_among_accumulated_gradients(tmp_path):
    values = [1, 1, 'nan', 1, 1, 1]
    weights, error = train(tmp_path, values, accumulate=2, action='skip')
    assert error is None
    changed = [not torch.equal(a, b) for a, b in zip(weights, weights[1:])]
    # Steps are those of iterations 2, 4 and 6; the fourth has the nan.
    assert changed == [True, False, False, False, True]


def test_refused():
    with pytest.raises(ValueError, match="'stop' or 'skip', but got 'go'"):
        NonFiniteLossHook(action='go')
    with pytest.raises(ValueError, match='max_skips must be'):
        NonFiniteLossHook(max_skips=-1)
