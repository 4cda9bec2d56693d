"""OpenMP threads that sleep, so that the others do."""
import os
import threading

import pytest
import torch

from siamattn_mm.utils import openmp


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def holders():
    return [t for t in threading.enumerate() if t.name == openmp.THREAD_NAME]


@pytest.mark.parametrize('cpus, teams', [(1, 0), (2, 1), (3, 2), (6, 5)])
def test_there_are_more_threads_than_cpus(two_threads, monkeypatch, cpus,
                                          teams):
    monkeypatch.setattr(openmp, 'usable_cores', lambda: cpus)
    monkeypatch.setattr(openmp, 'is_gnu', lambda: True)
    sleeping = openmp.SleepingThreads()
    assert not sleeping
    try:
        for _ in range(2):
            sleeping.start()
            assert bool(sleeping) == (teams > 0)
            assert len(holders()) == teams
            # Each holds one more, beside the two that work.
            assert 2 + len(holders()) > cpus
    finally:
        sleeping.stop()
    assert not sleeping and not holders()
    assert torch.get_num_threads() == 2


def test_none_for_one_thread_or_another_runtime(two_threads, monkeypatch):
    sleeping = openmp.SleepingThreads()
    monkeypatch.setattr(openmp, 'is_gnu', lambda: False)
    sleeping.start()
    assert not sleeping
    monkeypatch.setattr(openmp, 'is_gnu', lambda: True)
    torch.set_num_threads(1)
    sleeping.start()
    assert not sleeping


def test_they_have_teams_and_numbers_stay(two_threads):
    if not openmp.is_gnu():
        pytest.skip('this PyTorch has another OpenMP runtime')
    x = torch.randn(300, 300)
    expected = x @ x
    (x + 1).sum()  # the working team is there
    before = len(os.listdir('/proc/self/task'))
    sleeping = openmp.SleepingThreads()
    try:
        sleeping.start()
        assert len(os.listdir('/proc/self/task')) >= before + 2
        assert torch.equal(x @ x, expected)
    finally:
        sleeping.stop()


@pytest.mark.parametrize('name', openmp.SETTINGS)
def test_the_user_comes_first(monkeypatch, name):
    for other in openmp.SETTINGS:
        monkeypatch.delenv(other, raising=False)
    assert not openmp.is_set_by_user()
    monkeypatch.setenv(name, '0')
    assert openmp.is_set_by_user()
