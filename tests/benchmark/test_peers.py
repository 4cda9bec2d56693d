"""Trackers in a process of their own, and the folder of their OpenCV."""
import subprocess
import sys

import cv2
import numpy as np
import pytest

from siamattn_mm.benchmark import BenchmarkError, peer_site, peer_worker
from siamattn_mm.benchmark import peers as peers_module
from siamattn_mm.benchmark.peers import PeerProcess, run_peer
from siamattn_mm.datasets import read_sequence

# Stands in front of the real `cv2`: a tracker that moves right by one pixel a
# frame and loses the target in the third.
FAKE_CV2 = """
import importlib.util, sys
sys.path = [p for p in sys.path if p != {site!r}]
spec = importlib.util.find_spec('cv2')
sys.modules.pop('cv2')
import cv2


class Tracker:
    def init(self, image, bbox):
        assert image.shape == (48, 64, 3) and image.dtype == 'uint8'
        assert all(isinstance(v, int) for v in bbox)
        self.bbox, self.count = bbox, 0

    def update(self, image):
        self.count += 1
        x, y, w, h = self.bbox
        if self.count == 2:
            return False, (0, 0, 0, 0)
        return True, (x + self.count, y, w, h)


cv2.TrackerCSRT_create = Tracker
sys.modules['cv2'] = cv2
"""


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / 'site'
    folder.mkdir()
    (folder / 'cv2.py').write_text(FAKE_CV2.format(site=str(folder)))
    return str(folder)


@pytest.fixture
def sequences(tmp_path):
    """Two sequences of four frames; the target is absent in the last."""
    for name in 'ab':
        (tmp_path / name / 'img').mkdir(parents=True)
        for i in range(4):
            cv2.imwrite(
                str(tmp_path / name / 'img' / f'{i}.jpg'),
                np.full((48, 64, 3), 90, np.uint8))
        (tmp_path / name / 'groundtruth.txt').write_text(
            '10.4,8,20,16\n11,8,20,16\n12,8,20,16\nnan,nan,nan,nan\n')
    return [read_sequence(str(tmp_path / name)) for name in 'ab']


def test_scores_and_files(site, sequences, tmp_path):
    done = []
    with PeerProcess('csrt', site) as peer:
        found = run_peer(peer, sequences, str(tmp_path / 'out'),
                         lambda: done.append(1))
    assert len(done) == 8
    assert set(found.sequences) == {'a', 'b'}
    for name in 'ab':
        boxes = np.loadtxt(tmp_path / 'out' / f'{name}.txt', delimiter=',')
        # Given; found; lost, so that it stays; found again.
        assert boxes[:, 0] == pytest.approx([10.4, 11, 11, 13], abs=1e-4)
        scores = np.loadtxt(tmp_path / 'out' / f'{name}_score.txt')
        assert scores.tolist() == [-1, 1, 0, 1]
        times = np.loadtxt(tmp_path / 'out' / f'{name}_time.txt')
        assert times.shape == (4, ) and (times[1:] >= 0).all()
    assert found.mean['success'] > .9
    assert found.mean['fps'] > found.mean['fps_end_to_end'] > 0
    assert 'mean of 2' in found.table


def test_unreadable_image_is_named(site, sequences, tmp_path):
    (tmp_path / 'b' / 'img' / '2.jpg').write_bytes(b'no image')
    with pytest.raises(BenchmarkError, match='csrt, sequence b: .*2.jpg'):
        with PeerProcess('csrt', site) as peer:
            run_peer(peer, sequences, str(tmp_path / 'out'))


def test_process_that_dies(sequences, tmp_path, monkeypatch):
    monkeypatch.setattr(peers_module.peer_worker, '__file__',
                        str(tmp_path / 'dies.py'))
    (tmp_path / 'dies.py').write_text('')
    with pytest.raises(BenchmarkError, match='sequence a: its process ended'):
        with PeerProcess('csrt', '') as peer:
            run_peer(peer, sequences, str(tmp_path / 'out'))


@pytest.mark.skipif(
    hasattr(cv2, 'TrackerCSRT_create'), reason='this OpenCV has CSRT')
def test_opencv_without_the_tracker_says_so(sequences, tmp_path):
    with pytest.raises(BenchmarkError, match='no TrackerCSRT: it is not open'):
        with PeerProcess('csrt', '') as peer:
            run_peer(peer, sequences, str(tmp_path / 'out'))


def test_trackers_and_models_are_checked(tmp_path):
    with pytest.raises(BenchmarkError, match="'mosse'; there are csrt, kcf"):
        PeerProcess('mosse', '')
    with pytest.raises(BenchmarkError, match='--nano-backbone, but got None'):
        PeerProcess('nano', '')
    with pytest.raises(BenchmarkError, match='--nano-neckhead.*gone.onnx'):
        PeerProcess('nano', '', dict(
            backbone=__file__, neckhead='gone.onnx'))


def test_worker_imports_nothing_of_the_package():
    """It runs beside another OpenCV, and starts in no time."""
    code = ('import sys, runpy; runpy.run_path(sys.argv[1]); '
            'print(*{"siamattn_mm", "torch"} & set(sys.modules))')
    out = subprocess.check_output(
        [sys.executable, '-c', code, peer_worker.__file__])
    assert out.strip() == b''


def test_same_release_as_the_environments(repository):
    requirement = peer_site.read_requirement(
        str(repository / 'requirements' / 'peers.txt'))
    name, version = requirement.split('==')
    assert name == 'opencv-contrib-python-headless'
    runtime = (repository / 'requirements' / 'runtime.txt').read_text()
    assert f'\nopencv-python-headless=={version}\n' in runtime


@pytest.mark.parametrize('text', ['', 'a\n', 'a==1\nb==2\n'])
def test_bad_requirement(tmp_path, text):
    path = tmp_path / 'peers.txt'
    path.write_text(text)
    with pytest.raises(BenchmarkError, match='peers.txt: expected one line'):
        peer_site.read_requirement(str(path))
    with pytest.raises(BenchmarkError, match='No such file'):
        peer_site.read_requirement(str(tmp_path / 'none.txt'))


class FakePip:
    """Stands in for pip."""

    def __init__(self, code, output=b''):
        self.code, self.output, self.calls = code, output, 0

    def __call__(self, command, **kwargs):
        assert command[1:4] == ['-m', 'pip', 'install']
        self.calls += 1
        target = command[command.index('--target') + 1]
        if self.code == 0:
            import os
            os.mkdir(os.path.join(target, 'cv2'))
        return subprocess.CompletedProcess(command, self.code, self.output)


@pytest.mark.skipif(
    hasattr(cv2, 'TrackerCSRT_create'), reason='this OpenCV has CSRT')
def test_installed_once(tmp_path, monkeypatch):
    pip = FakePip(0)
    monkeypatch.setattr(subprocess, 'run', pip)
    folders = {peer_site.peer_site('a==1', str(tmp_path)) for _ in range(2)}
    assert pip.calls == 1 and len(folders) == 1
    [folder] = folders
    assert folder.startswith(str(tmp_path / 'peers' / 'a-1-cp'))
    # Nothing but it.
    assert len(list((tmp_path / 'peers').iterdir())) == 1


@pytest.mark.skipif(
    hasattr(cv2, 'TrackerCSRT_create'), reason='this OpenCV has CSRT')
def test_pip_fails(tmp_path, monkeypatch):
    pip = FakePip(1, b'Looking...\nERROR: No matching distribution for a==1')
    monkeypatch.setattr(subprocess, 'run', pip)
    with pytest.raises(BenchmarkError, match='cannot install a==1.*No match'):
        peer_site.peer_site('a==1', str(tmp_path))
    assert not list((tmp_path / 'peers').iterdir())


def test_opencv_that_has_them_is_used(monkeypatch):
    monkeypatch.setattr(cv2, 'TrackerCSRT_create', None, raising=False)
    assert peer_site.peer_site('a==1', '/nowhere') == ''
