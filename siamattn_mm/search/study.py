"""The optuna study: a file that several processes may work on."""
import contextlib
import fcntl
import hashlib
import math
import os
import socket
import warnings
from typing import (
    IO,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
)

import optuna
import torch
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from torch import nn

from .evaluate import SequenceOutcome, TrialOutcome, summarise
from .space import Parameter

NAME = 'test_cfg'
DECIMALS = 4
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_BASELINE = 'baseline'
# Host and number of the process that runs a trial.
_OWNER = 'owner'
# Below it, a rank test of pairs cannot be significant.
_MIN_SEQUENCES = 4


class FileLock:
    """One process at a time, by the operating system.

    optuna's own locks are files that a killed process leaves behind; others
    take them over after half a minute, and then also from a process that is
    merely slow or paused, which fails when it wants to give back what it no
    longer has.

    Args:
        path (str): A file, made if it is not there; nothing is written to it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: Optional[IO[str]] = None

    def acquire(self) -> bool:
        """Wait for the lock.

        Returns:
            bool: True.
        """
        file = open(self.path, 'a', encoding='utf-8')
        fcntl.flock(file, fcntl.LOCK_EX)
        self._file = file
        return True

    def release(self) -> None:
        """Give it back."""
        self._file.close()
        self._file = None


class StudyMismatch(ValueError):
    """The storage holds trials that cannot be compared with new ones."""


class Best(NamedTuple):
    """The best parameters so far.

    Attributes:
        values (dict[str, float]): By place, ``'rpn.lr'``.
        value (float): What was maximised.
        success (float): Mean success AUC.
        mask_j (list[float], optional): J at each threshold.
    """
    values: Dict[str, float]
    value: float
    success: float
    mask_j: Optional[List[float]]


class Search:
    """Trials in a storage file.

    Args:
        storage (str): The journal file; made if it is not there, continued
            otherwise. Several processes may work on it.
        space (Sequence[Parameter]): What is searched.
        conditions (dict): What makes trials comparable: data, weights,
            weights of the objective. JSON values. A storage with others is
            refused.
        seed (int): Of the process that makes the study. Those that join it
            or continue it draw their own. Defaults to 0.
        pruning (bool): Give trials up that are significantly worse than the
            best one on the sequences so far. Defaults to True.

    Raises:
        StudyMismatch: If the storage's trials had other conditions.
        OSError: If the storage cannot be written or read.
    """

    def __init__(self,
                 storage: str,
                 space: Sequence[Parameter],
                 conditions: Dict[str, object],
                 seed: int = 0,
                 pruning: bool = True) -> None:
        self.space = list(space)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder = os.path.dirname(os.path.abspath(storage))
        os.makedirs(folder, exist_ok=True)
        self._lock = FileLock(storage + '.lock')
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', ExperimentalWarning)
            try:
                journal = JournalStorage(
                    JournalFileBackend(storage, lock_obj=FileLock(storage)))
            except ValueError as error:
                raise OSError(
                    f'{storage!r} is no journal of a search: {error}'
                ) from error
            pruner = optuna.pruners.NopPruner()
            if pruning:
                pruner = optuna.pruners.WilcoxonPruner(
                    p_threshold=0.1, n_startup_steps=_MIN_SEQUENCES)
            with self.locked():
                is_new = not journal.get_all_studies()
                self.study = optuna.create_study(
                    study_name=NAME,
                    storage=journal,
                    direction='maximize',
                    sampler=_sampler(seed if is_new else None),
                    pruner=pruner,
                    load_if_exists=True)
                # A process that was killed may have made no more than the
                # study.
                if 'conditions' not in self.study.user_attrs:
                    self.study.set_user_attr('conditions', conditions)
                self._check(storage, conditions)
                self._fail_orphans()
                self._enqueue_baseline()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other processes of this search from doing the same."""
        self._lock.acquire()
        try:
            yield
        finally:
            self._lock.release()

    def _check(self, storage: str, conditions: Dict[str, object]) -> None:
        known = self.study.user_attrs['conditions']
        for key, value in conditions.items():
            if known.get(key) != value:
                raise StudyMismatch(
                    f'{storage!r} holds trials with another {key}: '
                    f'{_short(known.get(key))}, now {_short(value)}; values '
                    'cannot be compared, so give another --storage')

    def _fail_orphans(self) -> None:
        """Give up trials of processes of this host that were killed.

        To be called with the lock, under which trials begin, too.

        They would never end: the config's own values might stay untried, and
        the sampler would keep away from what they tried.
        """
        for trial in self.study.get_trials(
                deepcopy=False, states=(TrialState.RUNNING, )):
            # None: killed before it could say so; nobody else is there.
            owner = trial.user_attrs.get(_OWNER)
            if owner is None or (owner[0] == socket.gethostname()
                                 and not _is_alive(owner[1])):
                self.study.tell(trial.number, state=TrialState.FAIL)

    def _enqueue_baseline(self) -> None:
        """The config's own values come first, so that the best is no worse."""
        trials = self.study.get_trials(
            deepcopy=False,
            states=(*_FINISHED, TrialState.RUNNING, TrialState.WAITING))
        if not any(t.user_attrs.get(_BASELINE) for t in trials):
            self.study.enqueue_trial(
                {p.key: p.start for p in self.space},
                user_attrs={_BASELINE: True})

    @property
    def num_finished(self) -> int:
        """int: Trials that were evaluated, or given up as worse."""
        return len(
            self.study.get_trials(deepcopy=False, states=_FINISHED))

    @property
    def best(self) -> Optional[Best]:
        """Best: None before the first trial is complete."""
        try:
            return _to_best(self.study.best_trial, self.space)
        except ValueError:
            return None

    @property
    def baseline(self) -> Optional[Best]:
        """Best: What the config's own values give, once that is known."""
        for trial in self.study.get_trials(
                deepcopy=False, states=(TrialState.COMPLETE, )):
            if trial.user_attrs.get(_BASELINE):
                return _to_best(trial, self.space)
        return None

    def run_trial(self, evaluate: Callable[[Dict[str, float], int],
                                           SequenceOutcome],
                  num_sequences: int,
                  mask_weight: float) -> Optional[TrialOutcome]:
        """Try one more set of values.

        Args:
            evaluate (Callable): Takes the values by place and the number of a
                sequence; gives its figures.
            num_sequences (int): How many there are.
            mask_weight (float): What J counts beside success.

        Returns:
            TrialOutcome: None if the trial was given up. An exception, Ctrl-C
            too, marks the trial as failed and is passed on.
        """
        with self.locked():
            trial = self.study.ask()
            trial.set_user_attr(_OWNER, [socket.gethostname(), os.getpid()])
        try:
            for p in self.space:
                (trial.suggest_int if p.whole else trial.suggest_float)(
                    p.key, p.low, p.high)
            values = _rounded(trial.params, self.space)
            outcomes = []
            for number in range(num_sequences):
                outcomes.append(evaluate(values, number))
                trial.report(outcomes[-1].value(mask_weight), number)
                if number + 1 < num_sequences and trial.should_prune():
                    self.study.tell(trial, state=TrialState.PRUNED)
                    return None
        except BaseException:
            self.study.tell(trial, state=TrialState.FAIL)
            raise
        outcome = summarise(outcomes, mask_weight)
        trial.set_user_attr('success', outcome.success)
        if outcome.mask_j is not None:
            trial.set_user_attr('mask_j', outcome.mask_j.tolist())
        self.study.tell(trial, outcome.value)
        return outcome


def fingerprint(model: nn.Module) -> str:
    """Short name of a model's weights.

    Args:
        model (nn.Module): The model.

    Returns:
        str: Equal for equal weights.
    """
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(
            tensor.detach().cpu().contiguous().flatten().view(
                torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def _sampler(seed: Optional[int]) -> optuna.samplers.BaseSampler:
    # The parameters act together. What other processes are trying is taken
    # as bad meanwhile, so that they do not all try the same.
    return optuna.samplers.TPESampler(
        seed=seed, multivariate=True, constant_liar=True)


def _rounded(params: Dict[str, float],
             space: Sequence[Parameter]) -> Dict[str, float]:
    """What is tried is what the config will say."""
    return {
        p.key: params[p.key] if p.whole or params[p.key] == p.start else round(
            params[p.key], _decimals(p.high - p.low))
        for p in space
    }


def _decimals(width: float) -> int:
    """Enough for a thousand steps in a range; a small one needs more."""
    return max(DECIMALS, DECIMALS - 1 - math.floor(math.log10(width)))


def _to_best(trial: FrozenTrial, space: Sequence[Parameter]) -> Best:
    return Best(
        _rounded(trial.params, space), trial.value,
        trial.user_attrs['success'], trial.user_attrs.get('mask_j'))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + '...'
