"""Fixtures of the whole suite."""
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

import siamattn_mm  # noqa: F401  (makes mmtrack importable for every test)

# Most tests run small tensors, for which a second thread is only in the way.
torch.set_num_threads(1)

REPOSITORY = Path(__file__).resolve().parents[1]


def _shared(*parts: str) -> Path:
    path = REPOSITORY.parent.joinpath('shared', *parts)
    if not path.is_dir():
        pytest.skip(f'{"/".join(("../shared",) + parts)} is not there')
    return path


@pytest.fixture(scope='session')
def shared() -> Path:
    """Material beside the repository that is not part of the product."""
    return _shared()


@pytest.fixture(scope='session')
def golden() -> Path:
    """Golden numbers of the reference behaviour."""
    return _shared('golden')


@pytest.fixture(scope='session')
def sequences() -> Path:
    """Real annotated sequences, for evaluation only."""
    return _shared('data', 'sequences')


@pytest.fixture(scope='session')
def repository() -> Path:
    """The checkout's top folder."""
    return REPOSITORY


@pytest.fixture(scope='session')
def small_config_path() -> Path:
    """Config file of a complete SiamAttn that takes 0.1 s per frame."""
    return REPOSITORY / 'tests' / 'small_model.py'


@pytest.fixture
def small_config(small_config_path: Path) -> Config:
    """What is in that file; a fresh copy for every test."""
    return Config.fromfile(str(small_config_path))


@pytest.fixture
def run_tool(monkeypatch, capfd):
    """Run a tool in this process: a new one imports for five seconds.

    ``run_tool('export', 'a.py', '--out', path)`` gives the exit code and what
    was written to stdout and stderr.
    """

    def run(name: str, *arguments) -> tuple:
        path = REPOSITORY / 'tools' / f'{name}.py'
        monkeypatch.setattr(sys, 'argv', [f'{name}.py', *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name='__main__')
        code = stop.value.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
        return (code or 0, *capfd.readouterr())

    return run


@pytest.fixture(autouse=True)
def _quick_runners(monkeypatch) -> None:
    """What a Runner spends most of a short run with.

    It asks compilers for their versions, and formats its config by yapf for
    the log and for each checkpoint.
    """
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode',
                        lambda text, **style: (text, True))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)
