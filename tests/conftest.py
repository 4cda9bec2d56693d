"""Fixtures of the whole suite."""
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


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)
