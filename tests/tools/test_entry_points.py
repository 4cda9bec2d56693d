"""`tools/train.py` and `tools/test.py`: mmtrack's, with clear errors."""
import importlib
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

BOX = '2,2,4,4'


@pytest.fixture
def config(repository, tmp_path, monkeypatch):
    """Path of a tiny config on two sequences in ``tmp_path / 'data'``."""
    for name in ('first', 'second'):
        folder = tmp_path / 'data' / name
        (folder / 'img').mkdir(parents=True)
        (folder / 'masks').mkdir()
        (folder / 'groundtruth.txt').write_text(f'{BOX}\n' * 3)
        mask = np.zeros((16, 24), np.uint8)
        mask[2:6, 2:6] = 255
        for i in range(3):
            cv2.imwrite(
                str(folder / 'img' / f'{i}.jpg'),
                np.zeros((16, 24, 3), np.uint8))
            cv2.imwrite(str(folder / 'masks' / f'{i}.png'), mask)
    base = repository / 'configs' / '_base_'
    path = tmp_path / 'tiny.py'
    path.write_text(f"""
_base_ = [{str(base / 'default_runtime.py')!r},
          {str(base / 'datasets' / 'sot_folder.py')!r}]
custom_imports = dict(imports=['siamattn_mm', 'first_box_tracker'])
model = dict(type='FirstBoxTracker')
test_dataloader = dict(
    num_workers=0, dataset=dict(data_root={str(tmp_path / 'data')!r}))
val_dataloader = test_dataloader
train_dataloader = dict(
    batch_size=1, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='NoImages'))
train_cfg = dict(by_epoch=True, max_epochs=1)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=.1))
work_dir = {str(tmp_path / 'work')!r}
# Runners of one process share what has the same name.
experiment_name = {tmp_path.name!r}
visualizer = dict(name={tmp_path.name!r})
""")
    monkeypatch.syspath_prepend(str(repository / 'tests' / 'tools'))
    return path


@pytest.fixture
def run(monkeypatch, capfd):
    """Run a tool in this process; gives exit code, output and errors."""

    def _run(tool, *args):
        command = importlib.import_module(f'siamattn_mm.commands.{tool}')
        monkeypatch.setattr(sys, 'argv', sys.argv)
        capfd.readouterr()
        code = 0
        try:
            command.main(list(map(str, args)), f'tools/{tool}.py')
        except SystemExit as stop:
            code = stop.code
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return _run


def run_script(repository, *args):
    """Run a tool as a user does."""
    paths = [str(repository), str(repository / 'tests' / 'tools')]
    env = dict(
        os.environ, PYTHONPATH=os.pathsep.join(paths), OMP_NUM_THREADS='1')
    return subprocess.run(
        [sys.executable, *map(str, args)],
        cwd=str(repository),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True)


def test_train_then_test(repository, run, config, tmp_path):
    # test_dist.py has processes of tools/train.py.
    code, _, error = run('train', config)
    assert code == 0, error
    checkpoint = tmp_path / 'work' / 'epoch_1.pth'
    tested = run_script(repository, 'tools/test.py', config, '--checkpoint',
                        checkpoint, '--cfg-options',
                        'test_dataloader.num_workers=2')
    assert tested.returncode == 0, tested.stdout
    assert 'mean of 2' in tested.stdout
    assert f'Load checkpoint from {checkpoint}' in tested.stdout
    # Older pickles would need torch.load without its protection.
    assert 'Could not safely load' not in tested.stdout
    results = tmp_path / 'work' / 'results'
    assert sorted(os.listdir(str(results))) == [
        f'{name}{kind}.txt' for name in ('first', 'second')
        for kind in ('', '_score', '_time')
    ]
    assert (results / 'first.txt').read_text() == (
        '2.0000,2.0000,4.0000,4.0000\n' * 3)
    # The tracker's score is its weight: two steps of 1 - 0.1 * 2.
    weight = torch.load(
        str(checkpoint), weights_only=False)['state_dict']['weight']
    score = float((results / 'first_score.txt').read_text().split()[0])
    assert score == pytest.approx(float(weight), abs=1e-5)
    assert score == pytest.approx(.64, abs=1e-5)


def test_resume_goes_on_where_load_from_only_began(run, config, tmp_path):
    begin = tmp_path / 'begin.pth'
    torch.save(dict(state_dict=dict(weight=torch.tensor([5.]))), str(begin))
    config.write_text(config.read_text() + f'load_from = {str(begin)!r}\n')

    def weight_after(epochs):
        code, _, error = run('train', config, '--resume', '--cfg-options',
                             f'train_cfg.max_epochs={epochs}')
        assert code == 0, error
        path = tmp_path / 'work' / f'epoch_{epochs}.pth'
        return float(
            torch.load(str(path), weights_only=False)['state_dict']['weight'])

    # Nothing was begun: from the file that the config names.
    first = weight_after(1)
    assert first == pytest.approx(5 * .64)
    # From then on from what was saved last.
    assert weight_after(2) == pytest.approx(5 * .64**2)
    saved = torch.load(
        str(tmp_path / 'work' / 'epoch_2.pth'), weights_only=False)
    assert saved['meta']['epoch'] == 2


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_help_is_mmtracks(run, tool):
    code, text, _ = run(tool, '--help')
    assert code == 0
    assert text.startswith(f'usage: {tool}.py')
    for flag in ('--work-dir', '--cfg-options', '--launcher'):
        assert flag in text


def test_figures_and_work_dir(run, config, tmp_path):
    work_dir = tmp_path / 'elsewhere'
    code, _, _ = run('test', config, '--work-dir', work_dir, '--cfg-options',
                  "test_dataloader.dataset.sequences=['sec*']")
    assert code == 0
    assert (work_dir / 'results' / 'second.txt').is_file()
    assert not (work_dir / 'results' / 'first.txt').exists()
    dumped = list(work_dir.glob('*/*.json'))
    figures = Config.fromfile(str(dumped[0]))
    assert figures['sot/AO'] == 1 and figures['sot/J'] == 1
    assert figures['sot/fps'] == pytest.approx(1000)
    assert figures['sot/fps_end_to_end'] > 0


def test_two_threads_unless_told(run, config, monkeypatch):
    torch.set_num_threads(3)
    try:
        monkeypatch.setenv('OMP_NUM_THREADS', '3')
        assert run('test', config)[0] == 0
        assert torch.get_num_threads() == 3
        monkeypatch.delenv('OMP_NUM_THREADS')
        options = ('--cfg-options', 'default_hooks.resume_test.resume=True')
        # What was tracked with other threads is not taken over.
        code, out, _ = run('test', config, *options)
        assert code == 0 and '0 of 2 sequences were finished' in out
        assert torch.get_num_threads() == min(2, os.cpu_count())
        assert '2 of 2 sequences' in run('test', config, *options)[1]
    finally:
        torch.set_num_threads(1)


def test_interrupted_test_leaves_complete_files_only(run, config, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run('test', config, '--cfg-options', 'model.stop_in=second')
    names = sorted(os.listdir(str(tmp_path / 'work' / 'results')))
    assert names == ['first.txt', 'first_score.txt', 'first_time.txt']


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_missing_config(run, tool, tmp_path):
    code, _, error = run(tool, tmp_path / 'no.py')
    assert code == 2
    assert error == (f"tools/{tool}.py: error: config "
                     f"'{tmp_path / 'no.py'}' is not a file\n")


def test_missing_checkpoint(run, config, tmp_path):
    code, _, error = run('test', config, '--checkpoint', tmp_path / 'no.pth')
    assert code == 2
    assert error == ("tools/test.py: error: checkpoint "
                     f"'{tmp_path / 'no.pth'}' is not a file\n")


class Payload:

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder, )


@pytest.mark.parametrize('tool, option', [('test', None),
                                          ('train', 'load_from={}'),
                                          ('train', 'resume=True')])
@pytest.mark.parametrize('kind', ['code', 'nan', 'page'])
def test_a_bad_checkpoint_is_one_line_and_not_run(run, config, tmp_path, tool,
                                                  option, kind):
    path, marker = tmp_path / 'bad.pth', tmp_path / 'code_ran'
    weight = torch.tensor(float('nan') if kind == 'nan' else 1.)
    content = dict(state_dict=dict(weight=weight))
    if kind == 'code':
        content['meta'] = Payload(marker)
    torch.save(content, str(path))
    if kind == 'page':
        path.write_text('<html>404</html>')
    options = ['--checkpoint', path] if option is None else [
        '--cfg-options', option.format(path), f'load_from={path}'
    ]
    code, _, error = run(tool, config, *options)
    assert code == 2 and not marker.exists()
    reason = dict(code='more than tensors (posix.mkdir)',
                  nan='NaN or infinite numbers in weight',
                  page='not a checkpoint, but a web page')[kind]
    last = error.splitlines()[-1]
    assert last.startswith(f"tools/{tool}.py: error: '{path}'")
    assert reason in last
    assert 'Traceback' not in error and 'weights_only' not in error


def test_wrong_flag(run, config):
    code, _, error = run('test', config, '--no-such-flag')
    assert code == 2 and 'unrecognized arguments: --no-such-flag' in error


@pytest.mark.parametrize('num_workers', [0, 1])
def test_bad_data_is_one_line(run, config, tmp_path, num_workers):
    image = tmp_path / 'data' / 'first' / 'img' / '1.jpg'
    image.write_text('no image')
    code, _, error = run('test', config, '--cfg-options',
                      f'test_dataloader.num_workers={num_workers}')
    assert code == 2
    last = error.splitlines()[-1]
    assert last.startswith('tools/test.py: error: ')
    assert last.endswith(f'test.py: error: {image}: not a readable image')
    assert 'Traceback' not in error


def _one_line(result, tool, *parts):
    code, _, error = result
    assert code == 2 and 'Traceback' not in error
    last = error.splitlines()[-1]
    assert last.startswith(f'tools/{tool}.py: error: ')
    for part in parts:
        assert str(part) in last


@pytest.mark.parametrize('num_workers', [0, 2])
def test_a_frame_of_another_size_is_one_line(run, config, tmp_path,
                                             num_workers):
    image = tmp_path / 'data' / 'first' / 'img' / '2.jpg'
    cv2.imwrite(str(image), np.zeros((32, 48, 3), np.uint8))
    _one_line(
        run('test', config, '--cfg-options',
            f'test_dataloader.num_workers={num_workers}'), 'test', image,
        '48x32', '24x16')


def test_a_mask_of_another_size_is_one_line(run, config, tmp_path):
    mask = tmp_path / 'data' / 'first' / 'masks' / '2.png'
    cv2.imwrite(str(mask), np.zeros((32, 48), np.uint8))
    _one_line(run('test', config), 'test', mask, '48x32', '24x16')


def _own_data(folder):
    """Two short sequences, as a user's."""
    rng = np.random.default_rng(0)
    for name in ('mine', 'yours'):
        (folder / name / 'img').mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(folder / name / 'img' / f'{i}.jpg'),
                        rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        (folder / name / 'groundtruth.txt').write_text(
            '20,16,8,8\n' * 3)
    return folder


OTHERS = ('coco', 'animals', 'fod', 'synthetic', 'regions')
SOURCES = 'train_dataloader.dataset.sources.'


@pytest.fixture
def train_own(run, repository, tmp_path, monkeypatch):
    """Train the recipe on one's own videos, as the README says."""
    monkeypatch.chdir(tmp_path)

    def train(root, *more):
        return run(
            'train',
            repository / 'configs/siamattn/siamattn_mobilenetv2_cpu-10e.py',
            '--work-dir', tmp_path / 'work', '--cfg-options',
            f'{SOURCES}video.data_root={root}',
            # Else two runs within a second share a name, and with it a log.
            f'experiment_name={tmp_path.name}',
            f'visualizer.name={tmp_path.name}',
            *(f'{SOURCES}{name}=None' for name in OTHERS), *more)

    return train


def test_ones_own_data_but_no_validation_data(train_own, tmp_path):
    _one_line(
        train_own(_own_data(tmp_path / 'own')), 'train',
        "'data/train_sequences'", 'val_dataloader.dataset.data_root',
        'val_dataloader=None val_evaluator=None val_cfg=None')


def test_missing_training_data_is_one_line(train_own, tmp_path):
    _one_line(
        train_own(tmp_path / 'nowhere'), 'train',
        f'source video: no folder {tmp_path}/nowhere', f'{SOURCES}video=None')


def test_training_on_ones_own_data(train_own, tmp_path):
    own = _own_data(tmp_path / 'own')
    code, out, error = train_own(
        own, f'val_dataloader.dataset.data_root={own}',
        'val_dataloader.dataset.sequences=None', 'train_cfg.max_epochs=1',
        f'{SOURCES}video.pairs_per_epoch=2', 'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'val_dataloader.persistent_workers=False',
        'model.backbone.init_cfg=None')
    assert code == 0, error
    assert 'mean of 2' in out
    assert list((tmp_path / 'work').glob('*.pth'))


def test_empty_data_root(run, config, tmp_path):
    (tmp_path / 'empty').mkdir()
    code, _, error = run('test', config, '--cfg-options',
                      f'test_dataloader.dataset.data_root={tmp_path}/empty')
    assert code == 2 and 'holds no sequence folder' in error
    assert 'Traceback' not in error


def test_errors_of_the_model_keep_their_traceback(run, config):
    with pytest.raises(TypeError, match='unexpected keyword'):
        run('test', config, '--cfg-options', 'model.no_such_argument=1')


def test_mmtrack_without_its_tools(run, monkeypatch, tmp_path):
    import mmtrack
    monkeypatch.setattr(mmtrack, '__file__', str(tmp_path / '__init__.py'))
    code, _, error = run('test', 'config.py')
    assert code == 2
    assert str(tmp_path / '.mim' / 'tools' / 'test.py') in error
    assert len(error.splitlines()) == 1


def test_real_sequences(run, config, sequences, tmp_path):
    code, text, _ = run(
        'test', config, '--cfg-options',
        f'test_dataloader.dataset.data_root={sequences}',
        "test_dataloader.dataset.sequences=['bag', 'davis-dog', 'tld-*']")
    assert code == 0
    assert 'tld-pedestrian3: median score 1.000 over 28' in text
    for name, frames in (('bag', 115), ('davis-dog', 50),
                         ('tld-pedestrian3', 150)):
        text = (tmp_path / 'work' / 'results' / f'{name}.txt').read_text()
        assert len(text.splitlines()) == frames
