"""A killed and resumed test, and one in two processes, equal a plain one."""
import itertools
import multiprocessing
import os
import pickle
import shutil
import signal
import sys

import cv2
import forked_python
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmtrack.registry import MODELS

LENGTHS = dict(a=2, b=3, c=2, d=2)
_COUNTER = itertools.count()


@pytest.fixture(scope='module')
def folder(tmp_path_factory, repository):
    """A config of the small model on four sequences, and its weights."""
    folder = tmp_path_factory.mktemp('resume')
    rng = np.random.RandomState(0)
    for name, length in LENGTHS.items():
        path = folder / 'data' / name
        (path / 'img').mkdir(parents=True)
        (path / 'masks').mkdir()
        (path / 'groundtruth.txt').write_text('20,20,30,20\n' * length)
        for i in range(length):
            noise = rng.randint(0, 255, (8, 10, 3), dtype=np.uint8)
            cv2.imwrite(str(path / 'img' / f'{i}.png'),
                        cv2.resize(noise, (100, 80)))
            cv2.imwrite(str(path / 'masks' / f'{i}.png'),
                        np.full((80, 100), 255, np.uint8))
    base = repository / 'configs' / '_base_' / 'datasets' / 'sot_folder.py'
    (folder / 'config.py').write_text(f"""
_base_ = [{str(repository / 'tests' / 'small_model.py')!r}, {str(base)!r}]
test_dataloader = dict(
    num_workers=0, dataset=dict(data_root={str(folder / 'data')!r}))
test_evaluator = dict(save_masks=True)
val_dataloader = None
val_evaluator = None
val_cfg = None
""")
    init_default_scope('mmtrack')
    model = Config.fromfile(str(folder / 'config.py')).model
    for seed in (0, 1):
        torch.manual_seed(seed)
        torch.save(dict(state_dict=MODELS.build(model).state_dict()),
                   str(folder / f'{seed}.pth'))
    return folder


def make_runner(folder, work_dir, resume=False, seed=0, **options):
    """What tools/test.py makes."""
    config = Config.fromfile(str(folder / 'config.py'))
    config.merge_from_dict({
        'work_dir': str(work_dir),
        'load_from': str(folder / f'{seed}.pth'),
        'default_hooks.resume_test.resume': resume,
        # Runners of one process share what has the same name.
        'experiment_name': f'run {next(_COUNTER)} of {work_dir}',
        **options
    })
    config.visualizer.name = config.experiment_name
    return Runner.from_cfg(config)


def run(*args, **kwargs):
    """Test in this process: figures and the frames that were tracked."""
    runner = make_runner(*args, **kwargs)
    seen = []
    runner.model.register_forward_hook(
        lambda module, inputs, outputs: seen.append(
            (outputs[0].sequence_name, outputs[0].frame_id)))
    return runner.test(), seen


def run_killed(folder, work_dir, name, frame, **kwargs):
    """Test in a child that dies with SIGKILL at a frame."""

    def child():
        runner = make_runner(folder, work_dir, **kwargs)

        def die(module, inputs, outputs):
            if (outputs[0].sequence_name, outputs[0].frame_id) == (name,
                                                                   frame):
                os.kill(os.getpid(), signal.SIGKILL)

        runner.model.register_forward_hook(die)
        runner.test()

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def results_of(work_dir, times=False):
    """Contents of all result files by name; times differ between runs."""
    top = work_dir / 'results'
    return {
        str(path.relative_to(top)): path.read_bytes()
        for path in top.rglob('*') if path.is_file()
        and (times or not path.name.endswith('_time.txt'))
    }


def without_speed(figures):
    """Figures that do not depend on the clock."""
    return {k: v for k, v in figures.items() if 'fps' not in k}


@pytest.fixture(scope='module')
def plain(folder):
    """Work dir and figures of a run that nothing interrupted."""
    figures, seen = run(folder, folder / 'plain')
    assert len(seen) == sum(LENGTHS.values())
    return folder / 'plain', figures


def test_killed_and_resumed(folder, plain, tmp_path):
    run_killed(folder, tmp_path, 'c', 1)
    before = results_of(tmp_path, times=True)
    assert {name for name in before if '/' not in name} == {
        f'{name}{kind}.txt' for name in 'ab'
        for kind in ('', '_score', '_time')}

    figures, seen = run(folder, tmp_path, resume=True)
    assert [name for name, _ in seen] == ['c'] * 2 + ['d'] * 2
    assert results_of(tmp_path) == results_of(plain[0])
    assert len(results_of(tmp_path)) == 8 + sum(LENGTHS.values()) - 4
    assert without_speed(figures) == without_speed(plain[1])
    assert 'sot/J' in figures and 'sot/fps_end_to_end' in figures
    # The times of what was finished are those that were measured then.
    after = results_of(tmp_path, times=True)
    assert all(after[name] == before[name] for name in before
               if name[0] in 'ab')

    # Resuming a finished run tracks nothing and gives the same again.
    figures, seen = run(folder, tmp_path, resume=True)
    assert not seen
    assert without_speed(figures) == without_speed(plain[1])
    assert results_of(tmp_path, times=True) == after


def test_another_checkpoint_is_never_mixed_in(folder, plain, tmp_path):
    run_killed(folder, tmp_path, 'c', 1)
    run_killed(folder, tmp_path, 'a', 1, resume=True, seed=1)
    # Nothing of the first run is left.
    assert {name for name in results_of(tmp_path)} <= {'a/1.png', 'c/1.png'}
    assert not list((tmp_path / 'finished').iterdir())
    _, seen = run(folder, tmp_path, resume=True, seed=1)
    assert len(seen) == sum(LENGTHS.values())
    mixed, first = results_of(tmp_path), results_of(plain[0])
    assert mixed['a.txt'] != first['a.txt']


def test_without_resume_all_is_tracked(folder, plain, tmp_path):
    shutil.copytree(str(plain[0]), str(tmp_path / 'plain'))
    _, seen = run(folder, tmp_path / 'plain')
    assert len(seen) == sum(LENGTHS.values())


def test_sequence_with_missing_files_is_tracked_again(folder, plain,
                                                      tmp_path):
    shutil.copytree(str(plain[0]), str(tmp_path / 'plain'))
    (tmp_path / 'plain' / 'results' / 'a.txt').unlink()
    next((tmp_path / 'plain' / 'results' / 'c').iterdir()).unlink()
    (tmp_path / 'plain' / 'finished' / 'd.pkl').write_bytes(b'half a fi')
    _, seen = run(folder, tmp_path / 'plain', resume=True)
    assert [name for name, _ in seen] == ['a'] * 2 + ['c'] * 2 + ['d'] * 2
    assert results_of(tmp_path / 'plain') == results_of(plain[0])


def test_changed_config_or_annotations(folder, plain, tmp_path):
    shutil.copytree(str(plain[0]), str(tmp_path / 'plain'))
    _, seen = run(folder, tmp_path / 'plain', resume=True,
                  **{'model.test_cfg.rpn.lr': .5})
    assert len(seen) == sum(LENGTHS.values())
    shutil.copytree(str(plain[0]), str(tmp_path / 'again' / 'plain'))
    truth = folder / 'data' / 'a' / 'groundtruth.txt'
    text = truth.read_text()
    try:
        truth.write_text(text.replace('30,20', '31,20'))
        _, seen = run(folder, tmp_path / 'again' / 'plain', resume=True)
    finally:
        truth.write_text(text)
    assert len(seen) == sum(LENGTHS.values())


def test_only_with_the_sequence_sampler(folder, tmp_path):
    options = {'test_dataloader.sampler.type': 'VideoSampler',
               'test_dataloader.dataset.sequences': 'c'}
    _, seen = run(folder, tmp_path, **options)
    assert len(seen) == LENGTHS['c']
    assert not (tmp_path / 'finished').exists()
    with pytest.raises(ValueError, match='SequenceSampler.*VideoSampler'):
        run(folder, tmp_path, resume=True, **options)


def test_two_processes(folder, plain, tmp_path, repository, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.chdir(tmp_path)
    done = forked_python.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node=2', repository / 'tools' / 'test.py',
         folder / 'config.py', '--checkpoint', folder / '0.pth',
         '--work-dir', tmp_path, '--launcher', 'pytorch'])
    assert done.returncode == 0, done.stdout
    assert 'mean of 4' in done.stdout
    assert results_of(tmp_path) == results_of(plain[0])
    # Each sequence was tracked once, by one of the processes.
    records = [pickle.loads(path.read_bytes())[1][0] for path in
               sorted((tmp_path / 'finished').iterdir())]
    assert [len(record) for record in records] == [1] * 4
    # What they have finished can be taken over by a single process.
    figures, seen = run(folder, tmp_path, resume=True)
    assert not seen
    assert without_speed(figures) == without_speed(plain[1])
