"""`tools/search.py`, with the tiny model on tiny sequences."""
import fcntl
import os
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmtrack.registry import TASK_UTILS

from siamattn_mm.apis import init_tracker
from siamattn_mm.models.task_modules import OnlinePart

pytest.importorskip('optuna')


@pytest.fixture(scope='module')
def files(tmp_path_factory, small_config_path):
    """Two sequences of three frames, one with masks, and weights."""
    root = tmp_path_factory.mktemp('search')
    rng = np.random.default_rng(0)
    for name in 'ab':
        for kind in ('img', 'masks'):
            (root / 'data' / name / kind).mkdir(parents=True)
        for i in range(3):
            frame = rng.integers(0, 255, (64, 96, 3), np.uint8)
            mask = np.zeros((64, 96), np.uint8)
            mask[20:40, 30:54] = 1
            for kind, image in (('img', frame), ('masks', mask)):
                cv2.imwrite(
                    str(root / 'data' / name / kind / f'{i}.png'), image)
        (root / 'data' / name / 'groundtruth.txt').write_text(
            '30,20,24,20\n' * 3)
    with pytest.warns(UserWarning, match='untrained'):
        model = init_tracker(str(small_config_path)).model
    torch.save(dict(state_dict=model.state_dict()), str(root / 'small.pth'))
    return root


@pytest.fixture
def arguments(small_config_path, files, tmp_path):
    """The tool's arguments; a keyword replaces a flag's value."""

    def _arguments(*flags, **values):
        defaults = dict(
            checkpoint=files / 'small.pth', data_root=files / 'data',
            out=tmp_path / 'best.py', trials=2)
        words = [str(values.pop('config', small_config_path))]
        for name, value in {**defaults, **values}.items():
            words += [f'--{name.replace("_", "-")}', str(value)]
        return words + list(flags)

    return _arguments


@pytest.fixture
def run(run_tool, arguments):
    """Run the tool in this process; gives exit code, output and errors."""
    return lambda *flags, **values: run_tool('search',
                                             *arguments(*flags, **values))


def test_search_then_resume(run, tmp_path, small_config_path):
    code, out, error = run('--space', 'lr=0.1:0.9')
    assert code == 0, error
    assert '2/2' in error and 'Traceback' not in error
    device, *lines = out.splitlines()
    assert device == 'device: cpu'
    assert lines[0].startswith('rpn.lr: 0.4 -> ')
    assert lines[1].startswith('refine.mask_thr: 0.3 -> ')
    assert lines[2].endswith('on 2 sequences, 2 trials')
    assert lines[3] == f'{tmp_path / "best.py"}: config written'
    found = Config.fromfile(str(tmp_path / 'best.py')).model.test_cfg
    assert found.rpn.lr == float(lines[0].split()[-1])
    assert found.refine.mask_thr == float(lines[1].split()[-1])
    assert found.rpn.penalty_k == Config.fromfile(
        str(small_config_path)).model.test_cfg.rpn.penalty_k

    # Nothing is left to do, and nothing is evaluated again.
    (tmp_path / 'best.py').unlink()
    code, again, _ = run('--space', 'lr=0.1:0.9')
    assert code == 0 and again == out
    assert (tmp_path / 'best.py').is_file()
    code, out, error = run('--space', 'lr=0.1:0.9', trials=3)
    assert code == 0 and '3 trials' in out, error
    # Other sequences cannot be compared with these.
    code, _, error = run('--space', 'lr=0.1:0.9', '--sequences', 'a')
    assert code == 2 and 'holds trials with another sequences' in error
    code, _, error = run('--space', 'penalty_k=0:1')
    assert code == 2 and 'holds trials with another parameters' in error


def test_the_config_may_say_the_space(run, tmp_path, small_config_path):
    config = tmp_path / 'config.py'
    config.write_text(f'_base_ = {str(small_config_path)!r}\n'
                      'search_space = dict(window_influence=(0.1, 0.6))\n')
    code, out, error = run(trials=1, config=config)
    assert code == 0, error
    assert out.splitlines()[1] == 'rpn.window_influence: 0.44 -> 0.44'


@pytest.fixture
def config_with_parts(tmp_path, small_config_path):
    """A config with two parts that learn, and a space of their numbers."""
    path = tmp_path / 'parts.py'
    path.write_text(
        f'_base_ = {str(small_config_path)!r}\n'
        'model = dict(online=[\n'
        "    dict(type='CorrelationFilter', influence=0.6, levels=(0, 2)),\n"
        "    dict(type='TargetPresence', hold_score=0.3)])\n"
        "search_space = {'online.CorrelationFilter.influence': (0.2, 0.8),\n"
        "                'lost_after': (1, 9), 'lr': (0.1, 0.9)}\n")
    return path


def test_parts_that_learn_from_the_video(run, files, tmp_path,
                                         config_with_parts):
    code, out, error = run(config=config_with_parts, trials=3)
    assert code == 0, error
    _, *lines = out.splitlines()
    assert [line.rpartition(' ')[0] for line in lines[:3]] == [
        'online.CorrelationFilter.influence: 0.6 ->',
        'online.TargetPresence.lost_after: 3 ->', 'rpn.lr: 0.4 ->']
    influence, lost_after, lr = (
        float(line.split()[-1]) for line in lines[:3])
    model = init_tracker(
        str(tmp_path / 'best.py'), str(files / 'small.pth')).model
    assert [part.name for part in model.online] == [
        'CorrelationFilter', 'TargetPresence']
    assert model.online[0].influence == influence
    assert model.online[0].levels == (0, 2)
    assert model.online[1].lost_after == lost_after
    assert model.online[1].hold_score == 0.3
    assert model.test_cfg.rpn.lr == lr
    # The same command goes on; other numbers of parts are not compared.
    assert run(config=config_with_parts, trials=4)[0] == 0
    text = config_with_parts.read_text()
    config_with_parts.write_text(text.replace('influence=0.6',
                                              'influence=0.5'))
    assert run(config=config_with_parts, trials=5)[0] == 0
    config_with_parts.write_text(text.replace('hold_score=0.3',
                                              'hold_score=0.4'))
    code, _, error = run(config=config_with_parts, trials=6)
    assert code == 2 and 'holds trials with another fixed_online' in error


def test_parts_are_tried_with_each_trials_numbers(run, monkeypatch,
                                                  config_with_parts):
    from siamattn_mm import search
    seen, track = [], search.track_sequence

    def track_sequence(model, *rest):
        seen.append(model.online[0].influence)
        return track(model, *rest)

    monkeypatch.setattr(search, 'track_sequence', track_sequence)
    assert run('--space', 'influence=0.2:0.8', '--no-pruning',
               config=config_with_parts, trials=4)[0] == 0
    # Two sequences each; the config's own comes first.
    assert seen[::2] == seen[1::2] and seen[0] == 0.6
    assert len(set(seen)) == 4 and all(0.2 <= v <= 0.8 for v in seen)


@pytest.mark.parametrize('space, message', [
    ('influence=0:2', "range of 'influence' is too wide: .*0..1"),
    ('influense=0:1',
     "did you mean 'online.CorrelationFilter.influence'"),
    ('online.CorrelatonFilter.influence=0:1',
     "did you mean 'online.CorrelationFilter.influence'"),
])
def test_mistakes_in_parts(run, config_with_parts, space, message):
    code, _, error = run('--space', space, config=config_with_parts)
    last = error.splitlines()[-1]
    assert code == 2 and re.search(f'^search.py: error: .*{message}', last)
    assert 'Traceback' not in error


@pytest.fixture
def picky_part():
    """A part that takes the ends of a range, but not what is between."""

    @TASK_UTILS.register_module()
    class Picky(OnlinePart):

        def __init__(self, level=0., limit=1.):
            if 0 < level < limit:
                raise ValueError(f'level must not be {level}')

    yield
    TASK_UTILS.module_dict.pop('Picky')


def test_a_part_that_refuses_a_trials_numbers(run, tmp_path, picky_part,
                                              small_config_path):
    path = tmp_path / 'picky.py'
    path.write_text(f'_base_ = {str(small_config_path)!r}\n'
                    "model = dict(online=[dict(type='Picky')])\n")
    code, _, error = run('--space', 'level=0:1', config=path)
    assert code == 2 and 'Traceback' not in error
    assert re.search('^search.py: error: online.Picky.level=0.*must not be',
                     error.splitlines()[-1])


def test_the_config_is_written_by_one_at_a_time(run, tmp_path, monkeypatch):
    from siamattn_mm import search
    seen, write = [], search.write_config

    def write_config(*arguments):
        with open(str(tmp_path / 'best.journal.lock')) as file:
            with pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(arguments)
        write(*arguments)

    monkeypatch.setattr(search, 'write_config', write_config)
    assert run(trials=1)[0] == 0
    assert len(seen) == 2


def test_interrupted(run, monkeypatch):
    from siamattn_mm.models.trackers import TrackingSession

    def stop(self, frame):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrackingSession, 'step', stop)
        code, out, error = run()
    assert code == 130 and out == 'device: cpu\n'
    assert error.splitlines()[-1].endswith('best.journal')
    assert run(trials=1)[0] == 0


def test_two_processes_share_the_trials(run, arguments, repository):
    flags = ('--space', 'lr=0.1:0.9')
    other = subprocess.Popen(
        [sys.executable, str(repository / 'tools' / 'search.py'),
         *arguments(*flags, trials=4)],
        env=dict(os.environ, PYTHONPATH=str(repository), OMP_NUM_THREADS='1'),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    try:
        code, out, error = run(*flags, trials=4)
        other_out, other_error = other.communicate(timeout=200)
    finally:
        other.kill()
    assert code == other.returncode == 0, error + other_error
    for text in (out, other_out):
        # One may have begun its last trial when the other ended the fourth.
        assert int(text.splitlines()[3].split()[-2]) in (4, 5)


@pytest.mark.parametrize('flags, message', [
    (('--data-root', 'no'), "data_root 'no' is not a folder"),
    (('--sequences', 'z*'), "no sequence in .* fits 'z\\*'"),
    (('--space', 'lr=1'), "'lr=1' is not KEY=LOW:HIGH"),
    (('--space', 'nothing=0:1'), "no number 'nothing'"),
    (('--space', 'mask_thr=0:1'), 'searched by --mask-thr'),
    (('--mask-thr', '0:2:1'), "'0:2:1' is not LOW:HIGH:STEP"),
    (('--trials', '0'), "'0' is not a whole number from 1"),
    (('--out', 'x.txt'), "'x.txt' must end in .py"),
    (('--out', '/proc/1/x.py'), "nothing can be written in '/proc/1'"),
    (('--storage', '/proc/1/x'), "nothing can be written in '/proc/1'"),
    (('--checkpoint', 'no.pth'), "'no.pth' does not exist"),
    (('--checkpoint', 'no.onnx'), "'no.onnx' is an exported model"),
])
def test_mistakes_are_one_line(run, tmp_path, flags, message):
    code, out, error = run(*flags)
    assert code == 2 and out in ('', 'device: cpu\n')
    last = error.splitlines()[-1]
    assert re.search(f'^search.py: error: .*{message}', last), last
    assert 'Traceback' not in error and list(tmp_path.iterdir()) == []
