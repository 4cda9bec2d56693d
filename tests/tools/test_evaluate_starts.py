"""`tools/evaluate_starts.py`, with the tiny model."""
import json

import cv2
import pytest
import torch
from fake_layouts import make_folder

from siamattn_mm.apis import init_tracker
from siamattn_mm.benchmark import peer_site, peer_worker

FRAMES = 14


@pytest.fixture
def run(run_tool, small_config_path, tmp_path):
    torch.manual_seed(0)
    root = make_folder(str(tmp_path / 'video'), FRAMES)
    with pytest.warns(UserWarning, match='untrained'):
        model = init_tracker(str(small_config_path), device='cpu').model
    weights = tmp_path / 'small.pth'
    torch.save(dict(state_dict=model.state_dict()), str(weights))

    def _run(*args, root=root):
        return run_tool('evaluate_starts', '--config', small_config_path,
                        '--checkpoint', weights, '--device', 'cpu',
                        '--data-root', root, *args)

    return _run


def test_tables_and_file(run, tmp_path):
    out = tmp_path / 'runs.json'
    code, text, error = run('--out', out)
    assert code == 0, error
    assert 'with_masks' in text and 'boxes_only' in text
    assert 'kept (2 sequences)' in text and 'j (1 sequences)' in text
    runs = json.loads(out.read_text())['runs']
    # From two thirds on, and in steps, less than ten frames are left.
    kinds = {'first', 'backwards', 'moved-down', 'moved-up'}
    assert {row['start'] for row in runs} >= kinds
    assert len(runs) == 2 * len({row['start'] for row in runs})
    for row in runs:
        assert 0 <= row['success'] <= 1 and 0 <= row['kept'] <= 1
        assert ('j' in row) == (row['sequence'] == 'with_masks')

    # The same once more is no difference.
    code, text, _ = run('--against', out)
    line, = [line for line in text.splitlines() if 'success (' in line]
    assert code == 0 and '0.000 ± 0.000' in line


def test_some_kinds_of_starts(run, tmp_path):
    out = tmp_path / 'runs.json'
    code, _, error = run('--starts', 'first', 'backwards', '--out', out)
    assert code == 0, error
    runs = json.loads(out.read_text())['runs']
    assert {row['start'] for row in runs} == {'first', 'backwards'}
    assert all(row['said'] >= row['right'] for row in runs)
    code, _, error = run('--starts', 'sideways')
    assert code == 2 and "'sideways'" in error and 'two-thirds' in error


def test_a_list_of_sequences(run, tmp_path):
    names = tmp_path / 'list.txt'
    names.write_text('# chosen by\nvideo/with_masks  # this one\n\n')
    code, text, _ = run('--list', names)
    assert code == 0 and 'with_masks' in text and 'boxes_only' not in text
    names.write_text('elsewhere/with_masks\n')
    code, _, error = run('--list', names)
    assert code == 2 and "'elsewhere/with_masks' is in none of" in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.slow
def test_processes_give_the_same(run, tmp_path):
    found = []
    for workers in (1, 2):
        out = tmp_path / f'{workers}.json'
        code, _, error = run('--workers', workers, '--out', out)
        assert code == 0, error
        found.append(json.loads(out.read_text())['runs'])
    one, two = found
    assert [(r['sequence'], r['start']) for r in one] == [
        (r['sequence'], r['start']) for r in two
    ]
    for first, second in zip(one, two):
        assert second['success'] == pytest.approx(first['success'], abs=.05)


@pytest.mark.skipif(
    not hasattr(cv2, 'TrackerMIL_create'), reason='OpenCV has no trackers')
def test_one_of_opencvs_trackers(run, tmp_path, monkeypatch):
    """MIL, which every OpenCV has, in the place of one that few have."""
    worker = tmp_path / 'worker.py'
    with open(peer_worker.__file__) as file:
        worker.write_text(file.read().replace('TrackerKCF', 'TrackerMIL'))
    monkeypatch.setattr(peer_worker, '__file__', str(worker))
    monkeypatch.setattr(peer_site, 'peer_site', lambda requirement: '')
    out = tmp_path / 'runs.json'
    code, text, error = run('--peer', 'kcf', '--starts', 'first', '--out', out)
    assert code == 0, error
    assert 'kept (2 sequences)' in text and ' j (' not in text
    runs = json.loads(out.read_text())['runs']
    # What was given counts, and something is found behind it.
    assert all(1 / FRAMES < row['success'] <= 1 for row in runs)


@pytest.mark.parametrize('args, message', [
    (['--peer', 'nano'], 'needs the model file --nano-backbone'),
    (['--workers', 0], '--workers must be 1 or more'),
    (['--sequences', 'nobody'], 'nobody'),
    (['--against', 'absent.json'], 'absent.json'),
    (['--nanotrack', 'no.onnx', 'head.onnx'], "no file 'no.onnx'"),
])
def test_mistakes_are_one_line(run, args, message, monkeypatch):
    monkeypatch.setattr(peer_site, 'peer_site', lambda requirement: '')
    code, _, error = run(*args)
    assert code == 2 and message in error
    assert 'Traceback' not in error


def test_another_file_is_no_file_of_runs(run, tmp_path):
    other = tmp_path / 'other.json'
    other.write_text('{"a": 1}')
    code, _, error = run('--against', other)
    assert code == 2 and 'is no file of --out' in error
