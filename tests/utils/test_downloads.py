"""Checkpoints by address: fetched once, read without running code."""
import functools
import hashlib
import http.server
import json
import os
import threading

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch.hub import get_dir

from siamattn_mm.utils import CheckpointError, downloads, load_state_dict
from siamattn_mm.utils.safe_loading import read_checkpoints_safely


class Payload:
    """Unpickling it makes a folder: harmless, but code that ran."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder, )


class Handler(http.server.SimpleHTTPRequestHandler):
    """Counts what is asked for; some files are longer than they are."""
    asked = []

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.asked.append((self.path, self.headers.get('Authorization')))
        super().do_GET()

    def end_headers(self):
        if 'cut' in self.path:
            self._headers_buffer = [
                line.replace(b'Content-Length: ', b'Content-Length: 9')
                for line in self._headers_buffer
            ]
        super().end_headers()


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder and the address of its server; the cache is empty."""
    folder = tmp_path / 'served'
    folder.mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    Handler.asked.clear()
    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0),
        functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f'http://127.0.0.1:{server.server_address[1]}'
    server.shutdown()
    server.server_close()


def cached():
    return os.listdir(os.path.join(get_dir(), 'checkpoints'))


def test_fetched_once(served):
    folder, address = served
    torch.save(dict(state_dict=dict(w=torch.ones(2))), folder / 'm.pth')
    for _ in range(2):
        assert load_state_dict(f'{address}/m.pth')['w'].tolist() == [1, 1]
    assert Handler.asked == [('/m.pth', None)] and len(cached()) == 1
    # The same name elsewhere is another file.
    (folder / 'other').mkdir()
    torch.save(dict(w=torch.zeros(1)), folder / 'other/m.pth')
    assert load_state_dict(f'{address}/other/m.pth')['w'].tolist() == [0]


def test_a_hash_in_the_name_is_checked(served):
    folder, address = served
    torch.save(dict(w=torch.ones(2)), folder / 'm.pth')
    found = hashlib.sha256((folder / 'm.pth').read_bytes()).hexdigest()[:8]
    (folder / f'm-{found}.pth').write_bytes((folder / 'm.pth').read_bytes())
    assert set(load_state_dict(f'{address}/m-{found}.pth')) == {'w'}
    # Where PyTorch puts it.
    assert cached() == [f'm-{found}.pth']
    (folder / 'm-01234567.pth').write_bytes((folder / 'm.pth').read_bytes())
    with pytest.raises(CheckpointError, match=f'SHA-256 is {found}, but 01'):
        load_state_dict(f'{address}/m-01234567.pth')
    assert cached() == [f'm-{found}.pth']


def test_a_password_is_sent_and_not_shown(served):
    folder, address = served
    torch.save(dict(w=torch.ones(2)), folder / 'm.pth')
    with_password = address.replace('://', '://me:s3cret@')
    assert set(load_state_dict(f'{with_password}/m.pth')) == {'w'}
    assert Handler.asked == [('/m.pth', 'Basic bWU6czNjcmV0')]
    (folder / 'page.pth').write_text('<!DOCTYPE html>')
    torch.save(dict(epoch=1), folder / 'none.pth')
    for name in ('no', 'page', 'none'):
        with pytest.raises(CheckpointError) as error:
            load_state_dict(f'{with_password}/{name}.pth')
        assert f"'{address}/{name}.pth'" in str(error.value)
        assert 's3cret' not in str(error.value)


@pytest.mark.parametrize('name, reason', [
    ('absent.pth', r'cannot be fetched \(404 '),
    ('cut.pth', r'cannot be fetched \(.*(ended after|IncompleteRead)'),
    ('page.pth', 'is not a checkpoint, but a web page'),
    ('code.pth', 'holds more than tensors.*mkdir'),
])
def test_what_cannot_be_used_is_not_kept(served, tmp_path, name, reason):
    folder, address = served
    torch.save(dict(w=torch.ones(2)), folder / 'cut.pth')
    (folder / 'page.pth').write_text('<!DOCTYPE html>')
    torch.save(dict(w=Payload(tmp_path / 'ran')), folder / 'code.pth')
    with pytest.raises(CheckpointError, match=f'{address}/{name}.*{reason}'):
        load_state_dict(f'{address}/{name}')
    assert cached() == [] and not (tmp_path / 'ran').exists()


def test_no_server(served, monkeypatch):
    with pytest.raises(CheckpointError, match='127.0.0.1:1/m.pth.*refused'):
        load_state_dict('http://127.0.0.1:1/m.pth')
    with pytest.raises(CheckpointError, match="'elsewhere'.*file:///PATH"):
        load_state_dict('file://elsewhere/m.pth')


def test_a_server_that_does_not_answer(served, monkeypatch):
    monkeypatch.setattr(downloads, 'TIMEOUT', .01)
    monkeypatch.setattr(Handler, 'do_GET', lambda self: threading.Event().wait(
        .3))
    with pytest.raises(CheckpointError, match='timed out'):
        load_state_dict(f'{served[1]}/m.pth')


def test_files_by_address(tmp_path):
    torch.save(dict(w=torch.ones(2)), tmp_path / 'a b.pth')
    assert set(load_state_dict(f'file://{tmp_path}/a%20b.pth')) == {'w'}
    assert set(load_state_dict(f'file://{tmp_path}/a b.pth')) == {'w'}
    with pytest.raises(CheckpointError, match='no.pth.*does not exist'):
        load_state_dict(f'file://{tmp_path}/no.pth')


@pytest.fixture
def safe_mmengine(monkeypatch):
    """Other tests have mmengine's own readers."""
    monkeypatch.setattr(CheckpointLoader, '_schemes',
                        CheckpointLoader._schemes.copy())
    read_checkpoints_safely()


def test_mmengine_fetches_without_running_code(served, safe_mmengine,
                                               tmp_path):
    folder, address = served
    torch.save(dict(model=dict(w=torch.ones(2))), folder / 'm.pth')
    found = CheckpointLoader.load_checkpoint(f'{address}/m.pth', 'cpu')
    assert found['state_dict']['w'].tolist() == [1, 1]
    torch.save(dict(w=Payload(tmp_path / 'ran')), folder / 'code.pth')
    with pytest.raises(CheckpointError, match='more than tensors'):
        CheckpointLoader.load_checkpoint(f'{address}/code.pth')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('forced', [None, '1'])
def test_names_that_mmengine_looks_up(safe_mmengine, tmp_path, monkeypatch,
                                      forced):
    name = 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'
    monkeypatch.delenv(name, raising=False)
    if forced:
        monkeypatch.setenv(name, forced)
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path))
    (tmp_path / 'open_mmlab.json').write_text(
        json.dumps(dict(good='good.pth', bad='bad.pth')))
    torch.save(dict(net=dict(w=torch.ones(2))), tmp_path / 'good.pth')
    torch.save(dict(w=Payload(tmp_path / 'ran')), tmp_path / 'bad.pth')
    found = CheckpointLoader.load_checkpoint('open-mmlab://good')
    assert found['state_dict']['w'].tolist() == [1, 1]
    with pytest.raises(CheckpointError, match="'open-mmlab://bad'.*more than"):
        CheckpointLoader.load_checkpoint('open-mmlab://bad')
    assert not (tmp_path / 'ran').exists()
    assert os.environ.get(name) == forced
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ
