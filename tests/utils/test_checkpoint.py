"""Checkpoints: read without running code, fitted completely or not at all."""
import os
import pickle
import re
import traceback
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.testing import assert_close

from siamattn_mm.utils import (
    CheckpointError,
    check_fit,
    load_into,
    load_state_dict,
    load_weights,
    state_dict_problems,
)


class Payload:
    """Unpickling it makes a folder: harmless, but code that ran."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder, )


class Model(nn.Module):

    def __init__(self, width=4):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1)
        self.norm = nn.BatchNorm2d(width)


@pytest.fixture(autouse=True, params=['torch here', 'torch 2.0'])
def _torch(request, monkeypatch):
    """All of it as PyTorch reads files, and as it did before 2.5."""
    if request.param == 'torch 2.0':
        monkeypatch.delattr(
            torch.serialization, 'safe_globals', raising=False)


@pytest.fixture
def save(tmp_path):
    """Save something; returns the path."""

    def save(content, **kwargs):
        path = str(tmp_path / 'checkpoint.pth')
        torch.save(content, path, **kwargs)
        return path

    return save


# -- safety --------------------------------------------------------------


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('load', [load_weights, load_state_dict])
def test_code_in_a_checkpoint_is_refused_and_not_run(save, tmp_path, load,
                                                     legacy):
    marker = tmp_path / 'code_ran'
    path = save(
        dict(state_dict=dict(w=torch.ones(1)), meta=Payload(marker)),
        _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match='holds more.*posix.mkdir'):
        load(path)
    assert not marker.exists()
    # The payload does work where it is let.
    torch.load(path, weights_only=False)
    assert marker.exists()


def test_a_plain_pickle_is_refused_and_not_run(tmp_path):
    marker, path = tmp_path / 'code_ran', tmp_path / 'weights.pkl'
    path.write_bytes(pickle.dumps(Payload(marker), protocol=2))
    with pytest.raises(CheckpointError):
        load_weights(str(path))
    assert not marker.exists()


def test_other_objects_are_refused(save):
    with pytest.raises(CheckpointError, match='more than tensors.*Model'):
        load_weights(save(dict(state_dict={}, model=Model())))


def test_getattr_in_a_checkpoint_reaches_nothing(save):
    """mmengine's logs name methods with it; nothing else may be had."""

    class Reach:

        def __reduce__(self):
            return getattr, (OrderedDict, 'fromkeys')

    path = save(dict(reached=Reach()))
    assert callable(torch.load(path, weights_only=False)['reached'])
    assert load_weights(path) == dict(reached=None)


# -- mmengine ------------------------------------------------------------


class ToyModel(BaseModel):

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.linear(inputs)
        return dict(loss=out.square().mean()) if mode == 'loss' else out


@pytest.fixture(scope='module')
def runner_checkpoint(tmp_path_factory):
    """What a training run of mmengine leaves behind."""
    work_dir = tmp_path_factory.mktemp('runner')
    runner = Runner(
        model=ToyModel(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=[dict(inputs=torch.ones(2)) for _ in range(4)],
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
            batch_size=2),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.1, momentum=.9)),
        param_scheduler=dict(type='MultiStepLR', milestones=[1]),
        log_level='ERROR',
        default_scope='mmtrack',
        experiment_name='toy')
    runner.train()
    return str(work_dir / 'epoch_2.pth'), runner.model


def test_checkpoints_of_mmengines_runner(runner_checkpoint):
    path, model = runner_checkpoint
    content = load_weights(path)
    assert {'meta', 'state_dict', 'message_hub', 'optimizer',
            'param_schedulers'} <= set(content)
    assert content['meta']['epoch'] == 2
    assert 'train/loss' in content['message_hub']['log_scalars']
    weights = load_state_dict(path)
    assert set(weights) == {'linear.weight', 'linear.bias'}
    assert_close(weights['linear.weight'], model.linear.weight.detach())


@pytest.mark.parametrize('module', ['numpy._core', 'numpy.core'])
def test_logs_written_with_numpy_1_or_2(runner_checkpoint, tmp_path, module):
    """The same array is pickled under two names, by version."""
    path = str(tmp_path / 'other_numpy.pth')
    names = 0
    with zipfile.ZipFile(runner_checkpoint[0]) as old, \
            zipfile.ZipFile(path, 'w') as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith('data.pkl'):
                for other in (b'numpy._core', b'numpy.core'):
                    content = content.replace(b'c' + other + b'.multiarray\n',
                                              b'c@.multiarray\n')
                names = content.count(b'c@.')
                content = content.replace(b'c@.',
                                          b'c' + module.encode() + b'.')
            new.writestr(name, content)
    assert names > 0
    assert set(load_state_dict(path)) == {'linear.weight', 'linear.bias'}


# -- what is in the file -------------------------------------------------


def test_path_objects(save):
    model = Model()
    path = Path(save(dict(state_dict=model.state_dict())))
    assert set(load_weights(path)) == {'state_dict'}
    assert set(load_state_dict(path)) == set(model.state_dict())
    load_into(Model(), path)
    with pytest.raises(CheckpointError, match="checkpoint '.*/no.pth' does"):
        load_into(model, path.with_name('no.pth'))


def test_missing_file(tmp_path):
    path = str(tmp_path / 'missing.pth')
    with pytest.raises(CheckpointError, match='missing.pth.*does not exist'):
        load_weights(path)
    with pytest.raises(ValueError):  # CheckpointError is one
        load_weights(str(tmp_path))


@pytest.mark.parametrize('content, kind', [
    (b'not a checkpoint', 'a text file'),
    (b'<!DOCTYPE html><html><body>404</body></html>', 'a web page'),
    (b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
     'a Git LFS pointer'),
    (b'\0\0\0\x20ftypisom' + bytes(64), 'a video'),
    (b'', 'an empty file'),
])
def test_a_file_that_is_no_checkpoint(tmp_path, content, kind):
    path = tmp_path / 'notes.pth'
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as error:
        load_weights(str(path))
    assert f"notes.pth' is not a checkpoint, but {kind}" in str(error.value)


def _advice_free(error):
    text = ''.join(traceback.format_exception(
        type(error), error, error.__traceback__))
    # This file's own lines are in it.
    message = text[text.index('CheckpointError: '):]
    return (not re.search('weights_only|add_safe_globals|arbitrary', message)
            and message.rstrip('\n').isprintable())


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_torchs_advice_is_not_repeated(save, tmp_path, protocol):
    marker, plain = tmp_path / 'code_ran', tmp_path / 'plain.pkl'
    plain.write_bytes(pickle.dumps(Payload(marker), protocol=protocol))
    script = str(tmp_path / 'script.pt')
    torch.jit.script(nn.Linear(2, 2)).save(script)
    for path, reason in ((str(plain), 'posix.mkdir'),
                         (save(Model()), 'Model'),
                         (script, 'TorchScript')):
        with pytest.raises(CheckpointError, match=reason) as error:
            load_weights(path)
        assert _advice_free(error.value)
    assert not marker.exists()


def test_a_truncated_checkpoint(save):
    path = save(Model().state_dict())
    with open(path, 'r+b') as file:
        file.truncate(os.path.getsize(path) // 2)
    with pytest.raises(CheckpointError, match='damaged.*central directory'):
        load_weights(path)


@pytest.mark.parametrize('content, name', [([torch.ones(1)], 'list'),
                                           (torch.ones(1), 'Tensor')])
def test_a_checkpoint_is_a_dict(save, content, name):
    with pytest.raises(CheckpointError, match=f'holds a {name}'):
        load_weights(save(content))


@pytest.mark.parametrize('content', [{}, dict(state_dict={}), dict(epoch=3)])
def test_a_checkpoint_has_weights(save, content):
    with pytest.raises(CheckpointError, match='holds no weights'):
        load_state_dict(save(content))


def test_the_state_dict_is_a_dict(save):
    with pytest.raises(CheckpointError, match='list under state_dict'):
        load_state_dict(save(dict(state_dict=[1, 2])))


def test_the_keys_that_are_there_are_named(save):
    path = save({'weights': Model().state_dict(), 'epoch\x1b[1m': 3})
    with pytest.raises(CheckpointError) as error:
        load_state_dict(path)
    assert "'weights', 'epoch\\x1b[1m'" in str(error.value)


@pytest.mark.parametrize('wrap', [
    lambda w: w, lambda w: dict(state_dict=w), lambda w: dict(model=w),
    lambda w: dict(net=w, epoch=3)
])
@pytest.mark.parametrize('prefix', ['', 'module.'])
def test_bare_and_wrapped_state_dicts(save, wrap, prefix):
    weights = {
        prefix + name: value
        for name, value in Model().state_dict().items()
    }
    found = load_state_dict(save(wrap(weights)))
    assert set(found) == set(Model().state_dict())
    assert_close(found['conv.weight'], weights[prefix + 'conv.weight'])


def test_module_in_front_of_some_names_is_a_name(save):
    weights = {'module.a': torch.ones(1), 'b': torch.ones(1)}
    assert set(load_state_dict(save(weights))) == {'module.a', 'b'}


@pytest.mark.parametrize('number', [float('nan'), float('-inf')])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_numbers_with_which_nothing_can_be_computed(save, number, dtype):
    model = Model()
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    weights['norm.weight'] = weights['norm.weight'].to(dtype)
    weights['norm.weight'][1] = number
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(CheckpointError, match='infinite.* norm.weight:'):
        load_into(model, save(dict(state_dict=weights)))
    for name, value in before.items():
        assert torch.equal(model.state_dict()[name], value)


# -- does it fit? --------------------------------------------------------


def test_problems_name_everything():
    expected = Model().state_dict()
    found = dict(expected)
    del found['conv.bias'], found['norm.running_mean']
    found['conv.weight'] = torch.zeros(9, 3, 1, 1)
    found['extra.one'], found['extra.two'] = torch.ones(2), torch.ones(3, 1)
    problems = state_dict_problems(expected, found)
    assert sorted(problems) == [
        'missing: conv.bias (4,)',
        'missing: norm.running_mean (4,)',
        'no place for: extra.one (2,)',
        'no place for: extra.two (3, 1)',
        'shape of conv.weight: (9, 3, 1, 1), but the model has (4, 3, 1, 1)',
    ]


def test_no_problem():
    expected = Model().state_dict()
    assert state_dict_problems(expected, expected) == []
    # Older checkpoints do not count batches.
    found = dict(expected)
    del found['norm.num_batches_tracked']
    assert state_dict_problems(expected, found) == []


def test_load_into_a_model(save):
    source, target = Model(), Model()
    nn.init.normal_(source.norm.running_mean)
    load_into(target, save(dict(state_dict=source.state_dict())))
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name


def test_half_precision_weights_are_widened(save):
    source, target = Model().half(), Model()
    load_into(target, save(source.state_dict()))
    assert target.conv.weight.dtype == torch.float32
    assert_close(target.conv.weight, source.conv.weight.float())


def test_weights_of_another_model_change_nothing(save):
    target = Model()
    before = {k: v.clone() for k, v in target.state_dict().items()}
    path = save(Model(width=5).state_dict())
    with pytest.raises(CheckpointError) as error:
        load_into(target, path)
    message = str(error.value)
    assert path in message and 'another config' in message
    for name in ('conv.weight', 'conv.bias', 'norm.weight', 'norm.bias',
                 'norm.running_mean', 'norm.running_var'):
        assert f'shape of {name}:' in message
    assert '6 names differ' in message
    for name, value in target.state_dict().items():
        assert torch.equal(value, before[name])


def test_every_name_is_listed(save):
    weights = {f'w{i}': torch.ones(1) for i in range(60)}
    with pytest.raises(CheckpointError) as error:
        load_into(nn.Module(), save(weights))
    message = str(error.value)
    assert '60 names differ' in message
    assert message.count('no place for') == 60


def test_fit_is_checked_without_loading(save):
    model = Model()
    check_fit(model, model.state_dict(), 'some.pth')
    with pytest.raises(CheckpointError, match="'some.pth' does not fit"):
        check_fit(model, dict(), 'some.pth')


def test_weights_of_parts_that_are_left_out_are_passed_over(save):
    weights = dict(Model().state_dict(), **{'head.weight': torch.ones(2)})
    model = Model()
    with pytest.raises(CheckpointError, match='no place for: head.weight'):
        load_into(model, save(weights))
    model.parts_left_out = ('head.', )
    load_into(model, save(weights))
    assert torch.equal(model.conv.weight, weights['conv.weight'])
    with pytest.raises(CheckpointError, match='no place for: tail.weight'):
        check_fit(model, dict(weights, **{'tail.weight': torch.ones(2)}), 'a')
