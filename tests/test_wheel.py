"""A wheel, installed outside of the checkout, has all that users need."""
import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

PARTS = ('configs', 'requirements', 'siamattn_cli', 'siamattn_mm', 'tools')


TRACK = """
import pathlib
import numpy as np
import siamattn_mm
from siamattn_mm.apis import init_tracker
print(siamattn_mm.__file__)
frame = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
path = pathlib.Path('configs/siamattn/siamattn_mobilenetv2.py')
for arguments in ((), ('siamattn_mobilenetv2', ), (path, )):
    tracker = init_tracker(*arguments, device='cpu')
    tracker.init(frame, (40, 30, 24, 30))
    print(tracker.update(frame).bbox.round(3).tolist())
"""


@pytest.fixture(scope='module')
def installed(repository, tmp_path_factory):
    """What ``pip install`` makes of ``pip wheel``; builds leave files."""
    root = tmp_path_factory.mktemp('wheel')
    source = root / 'source'
    source.mkdir()
    for name in PARTS:
        shutil.copytree(
            str(repository / name), str(source / name),
            ignore=shutil.ignore_patterns('__pycache__'))
    for path in repository.iterdir():
        if path.is_file() and not path.name.startswith('.'):
            shutil.copy(str(path), str(source))
    for arguments in (
        ['wheel', '--no-build-isolation', '--wheel-dir', 'wheels',
         './source'],
        ['install', '--target', 'site', '--find-links', 'wheels',
         'siamattn_mm']):
        done = subprocess.run(
            [sys.executable, '-m', 'pip', arguments[0], '--no-deps',
             '--no-index', '-q', *arguments[1:]],
            cwd=str(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            universal_newlines=True)
        assert done.returncode == 0, done.stdout
    shutil.rmtree(str(source))
    return root / 'site'


@pytest.fixture
def run(installed, tmp_path):
    """Run Python there, in an empty folder; gives its output."""

    def _run(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=str(tmp_path),
            env=dict(os.environ, PYTHONPATH=str(installed),
                     OMP_NUM_THREADS='1'),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        assert done.returncode == code, done.stderr
        return done.stdout

    return _run


def test_trackers_by_no_name_and_by_name(run, installed):
    out = run('-W', 'error::UserWarning:__main__', '-c', TRACK).splitlines()
    assert out[0] == str(installed / 'siamattn_mm' / '__init__.py')
    assert len(out) == 4 and len(set(out[1:])) == 1
    box = np.array(eval(out[1]))
    # With shipped weights it stays on what does not move.
    assert np.abs(box - [40, 30, 24, 30]).max() < 6


def test_the_command_tracks(run, installed, tmp_path):
    (tmp_path / 'video').mkdir()
    frame = np.full((90, 120, 3), 90, np.uint8)
    frame[30:60, 40:64] = (20, 200, 250)
    for i in range(3):
        cv2.imwrite(str(tmp_path / 'video' / f'{i}.png'), frame)
    out = run(installed / 'bin' / 'siamattn', 'track', 'video', '--box', 40,
              30, 24, 30, '--out', 'results', '--device', 'cpu')
    assert out.splitlines()[-1].startswith('results: 3 frames in result.mp4')
    assert (tmp_path / 'results' / 'results.csv').is_file()


def test_layout_of_mim(installed, monkeypatch):
    import modelindex.load_model_index
    mim = installed / 'siamattn_mm' / '.mim'
    monkeypatch.chdir(mim)
    index = modelindex.load_model_index.load('model-index.yml')
    assert 'siamattn_mobilenetv2' in [model.name for model in index.models]
    for model in index.models:
        assert (mim / model.config).is_file()
    # What `mim train` and `mim test` start.
    for name in ('train', 'test'):
        assert (mim / 'tools' / f'{name}.py').is_file()
    assert not (mim / 'tools' / '_setup').exists()


def test_mims_tools_run(run, installed):
    tool = installed / 'siamattn_mm' / '.mim' / 'tools' / 'test.py'
    assert '--work-dir' in run(tool, '--help')
