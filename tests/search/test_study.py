"""Tests of siamattn_mm.search.study, with an objective that costs nothing."""
import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from siamattn_mm.search import Parameter, SequenceOutcome

pytest.importorskip('optuna')
from siamattn_mm.search.study import (  # noqa: E402
    FileLock,
    Search,
    StudyMismatch,
    fingerprint,
)

SPACE = [Parameter('rpn.lr', 0., 1., 0.1), Parameter('rpn.k', 0., 2., 1.)]
CONDITIONS = dict(weights='abc', sequences=[['a', 4], ['b', 5]])


def peak(values, number):
    """Best at lr = 0.6, k = 0.5, in every sequence."""
    distance = abs(values['rpn.lr'] - 0.6) + abs(values['rpn.k'] - 0.5)
    return SequenceOutcome(np.zeros((1, 4)), 1 - distance - number / 100,
                           np.array([0.3, 0.4]))


@pytest.fixture
def storage(tmp_path):
    return str(tmp_path / 'sub' / 'x.journal')


def run(search, trials, evaluate=peak):
    return [search.run_trial(evaluate, 6, 0.) for _ in range(trials)]


def test_starts_with_the_config_and_gets_better(storage):
    search = Search(storage, SPACE, CONDITIONS)
    assert search.best is None and search.baseline is None
    first = run(search, 1)[0]
    assert search.baseline.values == {'rpn.lr': 0.1, 'rpn.k': 1.}
    assert search.baseline.success == pytest.approx(first.success)
    run(search, 30)
    assert search.best.value > search.baseline.value + 0.4
    assert search.best.mask_j == pytest.approx([0.3, 0.4])
    assert search.num_finished == 31
    # What was tried is what the config will say.
    assert all(value == round(value, 4)
               for value in search.best.values.values())


def test_small_ranges_and_whole_numbers(storage):
    space = [Parameter('online.A.floor', 1e-5, 1e-3, 0.00012345678),
             Parameter('online.A.count', 1, 6, 3, whole=True)]
    search = Search(storage, space, CONDITIONS)
    seen = []

    def evaluate(values, number):
        seen.append(values)
        return SequenceOutcome(
            np.zeros((1, 4)), values['online.A.floor'], None)

    run(search, 12, evaluate)
    # The config's own is not rounded.
    assert seen[0] == {'online.A.floor': 0.00012345678, 'online.A.count': 3}
    assert search.baseline.values == seen[0]
    floors = {values['online.A.floor'] for values in seen}
    assert len(floors) == 12 and min(floors) >= 1e-5
    assert all(len(f'{floor:.9f}'.rstrip('0')) <= 9 for floor in floors - {
        0.00012345678})
    counts = [values['online.A.count'] for values in seen]
    assert all(isinstance(c, int) and 1 <= c <= 6 for c in counts)
    assert len(set(counts)) > 1


def test_the_seed_decides(tmp_path):
    found = []
    for name in 'xy':
        search = Search(str(tmp_path / name), SPACE, CONDITIONS, seed=3)
        run(search, 4)
        found.append([t.params for t in search.study.trials])
    assert found[0] == found[1]


def test_resumes(storage):
    run(Search(storage, SPACE, CONDITIONS), 3)
    again = Search(storage, SPACE, CONDITIONS)
    assert again.num_finished == 3 and again.baseline is not None
    run(again, 2)
    params = [tuple(t.params.values()) for t in again.study.trials]
    assert len(set(params)) == 5


def _work(storage):
    search = Search(storage, SPACE, CONDITIONS)
    while search.num_finished < 12:
        run(search, 1)


def test_two_processes_share_the_trials(storage):
    context = multiprocessing.get_context('fork')
    workers = [context.Process(target=_work, args=(storage, ))
               for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    trials = Search(storage, SPACE, CONDITIONS).study.trials
    # One may have begun its last trial when the other ended the twelfth.
    assert len(trials) in (12, 13)
    params = [tuple(trial.params.values()) for trial in trials]
    assert len(set(params)) == len(params)
    assert params[0] == (0.1, 1.)


def test_worse_trials_are_given_up(storage):
    calls = []

    def evaluate(values, number):
        calls.append(number)
        worse = 0. if values['rpn.lr'] == 0.1 else 0.5
        return SequenceOutcome(np.zeros((1, 4)), 0.9 - worse, None)

    search = Search(storage, SPACE, CONDITIONS)
    assert run(search, 2, evaluate)[1] is None
    assert len(calls) == 6 + 4
    assert search.num_finished == 2
    assert search.best.values == search.baseline.values
    plain = Search(storage, SPACE, CONDITIONS, pruning=False)
    assert run(plain, 1, evaluate)[0] is not None


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError])
def test_an_interrupted_trial_is_done_again(storage, error):

    def broken(values, number):
        raise error

    search = Search(storage, SPACE, CONDITIONS)
    with pytest.raises(error):
        run(search, 1, broken)
    assert search.num_finished == 0
    again = Search(storage, SPACE, CONDITIONS)
    run(again, 1)
    assert again.baseline is not None


def _die(storage):

    def evaluate(values, number):
        os.kill(os.getpid(), signal.SIGKILL)

    run(Search(storage, SPACE, CONDITIONS), 1, evaluate)


def test_a_killed_process_leaves_nothing_behind(storage):
    killed = multiprocessing.get_context('fork').Process(
        target=_die, args=(storage, ))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    # What lives goes on: a second search does not take its trial away.
    again = Search(storage, SPACE, CONDITIONS)

    def evaluate(values, number):
        other = Search(storage, SPACE, CONDITIONS)
        assert [t.state.name for t in other.study.trials] == [
            'FAIL', 'RUNNING']
        return peak(values, number)

    run(again, 1, evaluate)
    # The config's own values were tried after all.
    assert again.baseline.values == {'rpn.lr': 0.1, 'rpn.k': 1.}
    assert again.num_finished == 1


def _die_with_locks(storage):
    search = Search(storage, SPACE, CONDITIONS)
    search.study.ask()  # and no time to say whose it is
    FileLock(storage).acquire()
    with search.locked():
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_keeps_no_lock(storage):
    killed = multiprocessing.get_context('fork').Process(
        target=_die_with_locks, args=(storage, ))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    again = Search(storage, SPACE, CONDITIONS)
    run(again, 1)
    assert again.baseline is not None


@pytest.mark.parametrize('change', [dict(weights='other'),
                                    dict(sequences=[['a', 4]])])
def test_other_conditions_are_refused(storage, change):
    Search(storage, SPACE, CONDITIONS)
    with pytest.raises(StudyMismatch, match=f'another {list(change)[0]}'):
        Search(storage, SPACE, dict(CONDITIONS, **change))


def test_a_file_that_is_no_storage(tmp_path):
    path = tmp_path / 'x.journal'
    path.write_text('something\nelse\n')
    with pytest.raises(OSError, match='x.journal.* is no journal'):
        Search(str(path), SPACE, CONDITIONS)


def test_fingerprint():
    model = torch.nn.BatchNorm2d(2)
    before = fingerprint(model)
    assert before == fingerprint(torch.nn.BatchNorm2d(2))
    model.weight.data[1] += 1
    assert fingerprint(model) != before
