"""Training that is killed, and in several processes, by its tools."""
import os
import re
import subprocess
import sys

import forked_python
import pytest

from siamattn_mm.utils import load_weights


@pytest.fixture
def options(repository, tmp_path, monkeypatch):
    """``--cfg-options`` that give the tiny training its data."""
    monkeypatch.syspath_prepend(str(repository / 'tests'))
    from fake_layouts import make_folder
    root = make_folder(str(tmp_path / 'video'))
    return [
        '--cfg-options',
        f'train_dataloader.dataset.sources.video.data_root={root}'
    ]


@pytest.fixture
def run(repository):
    """Run a command in the repository; gives code and output."""

    def _run(*command, **env):
        path = os.pathsep.join(
            [os.path.dirname(sys.executable), os.environ['PATH']])
        done = subprocess.run(
            list(map(str, command)),
            cwd=str(repository),
            env=dict(os.environ, OMP_NUM_THREADS='1', PATH=path,
                     PYTHONPATH=str(repository), **env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True)
        return done.returncode, done.stdout

    return _run


@pytest.fixture
def check_training(run_tool, repository, monkeypatch):
    """Run the tool in this process; the processes it starts are forks."""
    monkeypatch.chdir(repository)
    monkeypatch.setattr('subprocess.Popen', forked_python.Popen)
    monkeypatch.setattr('subprocess.run', forked_python.run)
    # This process is pytest's.
    monkeypatch.setattr('signal.signal', lambda *args: None)

    def check(*args):
        code, out, error = run_tool('check_training', *args)
        return code, out + error

    return check


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_and_resumed_ends_with_the_same(check_training, options):
    code, text = check_training(
        'resume', 'tests/small_training.py', '--iterations', 4, '--interval',
        1, *options,
        # The kill may come in the second epoch.
        'train_dataloader.dataset.sources.video.pairs_per_epoch=4')
    assert code == 0, text
    assert re.search(r'killed .* going on from iter_[123]\.pth', text)
    figures = re.findall(r': (\S+) \((\d+) values\)', text)
    assert len(figures) == 4
    assert all(gap == '0' and int(count) > 100 for gap, count in figures)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_have_the_gradients_of_one(check_training, options):
    code, text = check_training('gradients', 'tests/small_training.py',
                                '--batch-size', 2, *options)
    assert code == 0, text
    gap, tensors, live = re.search(
        r'difference: (\S+), .*\((\d+) tensors, (\d+)', text).groups()
    assert float(gap) <= 1e-5
    assert int(tensors) == int(live) > 100


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train(run, options, tmp_path):
    work_dir = tmp_path / 'work'
    code, text = run('bash', 'tools/dist_train.sh', 'tests/small_training.py',
                     2, '--work-dir', work_dir, *options,
                     'train_dataloader.dataset.sources.video.pairs_per_epoch'
                     '=8', 'train_cfg.max_epochs=1',
                     PORT=str(forked_python.free_port()))
    assert code == 0, text
    # 8 pairs are two iterations of two processes with two pairs each; only
    # the first process says so.
    assert len(re.findall(r'Epoch\(train\)\s+\[1\]\[2/2\]', text)) == 1
    assert len(list(work_dir.glob('*/*.log'))) == 1
    checkpoint = load_weights(str(work_dir / 'epoch_1.pth'))
    assert checkpoint['meta']['iter'] == 2
    assert not any(
        name.startswith('module.') for name in checkpoint['state_dict'])


@pytest.mark.parametrize('tool, args', [
    ('dist_train', ['CONFIG']), ('dist_test', ['CONFIG']),
    ('slurm_train', ['PARTITION', 'JOB', 'CONFIG', 'DIR']),
    ('slurm_test', ['PARTITION', 'JOB', 'CONFIG'])
])
def test_missing_arguments(run, tool, args):
    code, text = run('bash', f'tools/{tool}.sh', *args)
    assert code == 2
    assert text.startswith(f'usage: bash tools/{tool}.sh ')


@pytest.mark.parametrize('tool, args, command', [
    ('slurm_train', ['DIR', 16], 'train.py CONFIG --work-dir=DIR '),
    ('slurm_test', [16], 'test.py CONFIG '),
])
def test_slurm(run, tmp_path, tool, args, command):
    srun = tmp_path / 'srun'
    srun.write_text('#!/bin/sh\necho srun "$@"\n')
    srun.chmod(0o755)
    code, text = run(
        'env', f'PATH={tmp_path}:{os.environ["PATH"]}', 'bash',
        f'tools/{tool}.sh', 'gpu', 'job', 'CONFIG', *args, '--cfg-options',
        'a=b c', SRUN_ARGS='--exclude node1 -q big')
    assert code == 0, text
    assert text.splitlines()[-1] == (
        'srun -p gpu --job-name=job --gres=gpu:8 --ntasks=16 '
        '--ntasks-per-node=8 --cpus-per-task=2 --kill-on-bad-exit=1 '
        f'--exclude node1 -q big python -u tools/{command}'
        '--launcher=slurm --cfg-options a=b c')


@pytest.mark.parametrize('args, message', [
    (['resume', 'no.py'], "config 'no.py' is not a file"),
    (['resume', 'tests/small_training.py', '--interval', 5],
     '--iterations must be a multiple of --interval'),
    (['resume', 'tests/small_training.py', '--kills', 3],
     '--kills must be in [0, 2]'),
    (['gradients', 'tests/small_training.py', '--processes', 0],
     '--processes must be 1 or more'),
])
def test_bad_arguments(check_training, args, message):
    code, text = check_training(*args)
    assert code == 2
    assert f'check_training.py: error: {message}' in text
