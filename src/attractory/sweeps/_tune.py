"""Hyperparameters: trials of Optuna, each a normal run; the best trained again on fresh seeds."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import a_flag, instance_of, optional, takes, whole
from attractory._errors import AttractoryError, FileProblem, InvalidSetting
from attractory._files import as_path, write_bytes
from attractory._process import Process
from attractory._progress import ShownProgress
from attractory._shown import in_short
from attractory.runs import FolderLock
from attractory.sweeps._cluster import memory_needed
from attractory.sweeps._common import as_study_of
from attractory.sweeps._crew import Crew, own_classes, pickled
from attractory.sweeps._optuna import Pruning, optuna, quiet, reaching
from attractory.sweeps._provenance import commit_of
from attractory.sweeps._retrain import retrain
from attractory.sweeps._store import DONE, LOST, Job
from attractory.sweeps._study import Point
from attractory.sweeps._trials import LINE, PROCESS, counted, values_of
from attractory.sweeps._tuning import Tuning, open_tuning
from attractory.sweeps._tuning_store import (
    AT_WORK,
    LOG,
    alone,
    at_work,
    begun,
    forget_working,
    those_at_work,
    trial_file,
)
from attractory.sweeps._tuning_study import TuningStudy
from attractory.sweeps._vary import Span, Values
from attractory.sweeps._where import Cluster
from attractory.sweeps._work import PRUNED, REFUSED, Order, Outcome, Setup, versions, work
from attractory.training import terminated_as_interrupted

ORIGIN = "origin"  # of a trial that does again what another one began: the number of that one
SECONDS_BETWEEN_LOOKS = 1.0
A_TRIAL_A_THREAD = 1  # one that waited for a worker would know less than one asked for later
RETRIES = 2  # of values whose worker dies: they may be what it dies of, as too large a network


@takes(
    study=as_study_of(TuningStudy),
    scheduler=optional(lambda name, value: Cluster(kind="dask", address=value)),
    cluster=optional(instance_of(Cluster)),
    workers=optional(whole(1)),
    progress=a_flag,
)
def tune(
    study: TuningStudy,
    path: str | Path,
    *,
    scheduler: str | None = None,
    cluster: Cluster | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Tuning:
    """Choose hyperparameters on validation trials by Optuna; interrupted, it goes on.

    Each trial is a normal run. After the last one the best is trained again with fresh seeds, and
    scored on trials that no choice has seen: the best of many trials is better by luck, too, and
    the two numbers side by side say by how much. Several processes may work on one folder.

    Parameters
    ----------
    study : TuningStudy, dict, str or Path
        The study, its keys and values, or its YAML file.
    path : str or Path
        The folder of the tuning.
    scheduler : str, optional
        The address of a Dask scheduler whose workers are used, as "tcp://10.0.0.1:8786".
    cluster : Cluster, optional
        Where workers are. None: what the study says, or no workers: trials run one after another in
        this process.
    workers : int, optional
        Their number, over what the cluster says; alone: processes on this machine.
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Tuning
        All trials, as `open_tuning` gives them; those that failed are told in its table.

    Raises
    ------
    InvalidSetting
        For a study that cannot be trained, before anything runs; for a folder whose study has
        another objective, task or else: which field differs.
    FileProblem
        When the folder or the database cannot be read or written.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, when the workers have written their checkpoints.

    Examples
    --------
    >>> tuning = at.tune("study.yaml", "tunings/rates")  # doctest: +SKIP
    >>> tuning.best, tuning.retrained()  # doctest: +SKIP
    """
    folder = as_path(path)
    optuna()
    study.check()
    where: Any = scheduler or cluster or study.cluster or (Cluster() if workers else None)
    if where is not None and workers is not None:
        where = where.replace(workers=workers)
    with (
        terminated_as_interrupted(),
        reaching(folder),
        at_work(folder) as (name, lock),
        _View(folder / LOG, progress) as view,
    ):
        with alone(folder):
            of_optuna = begun(folder, study)
        _Tuning(study, folder, of_optuna, name, lock, view).go(where)
        retrain(open_tuning(folder, study.storage), study, view.say)
    return open_tuning(folder, study.storage)


class _View(ShownProgress):
    """Says what each trial came to: a line each in the log, a line now and then on the screen."""

    def __init__(self, log: Path, shown: bool) -> None:
        super().__init__(shown)
        self._log = log

    def say(self, message: str) -> None:
        """One line that stays, on the screen and in the log."""
        if self._shown:
            self._console.print(message, highlight=False, soft_wrap=True, markup=False)
        with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}\n")


class _Here:
    """This process as the only worker, with the methods of `Crew`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._out: list[tuple[Job, Order]] = []

    @property
    def busy(self) -> int:
        return len(self._out)

    def has_room(self) -> bool:
        return not self._out

    def submit(self, job: Job, order: Order) -> None:
        self._out.append((job, order))

    def finished(self, seconds: float) -> Iterator[tuple[Job, Outcome]]:
        job, order = self._out.pop()
        yield job, work(self._setup, pickled(order))


class _Tuning:
    """A tuning on its way."""

    def __init__(
        self,
        study: TuningStudy,
        folder: Path,
        of_optuna: Any,
        name: str,
        lock: FolderLock,
        view: _View,
    ) -> None:
        self.study, self.folder, self.optuna = study, folder, of_optuna
        self.name, self.lock, self.view = name, lock, view
        self.deaths: Counter[int] = Counter()  # of workers, by the trials that first had the values
        self.commit = commit_of(Path.cwd())
        self.trials: dict[int, tuple[Any, str]] = {}  # on their way: Optuna's, and the key

    def go(self, where: Any) -> None:
        """To the end of all trials, or to what stops the tuning."""
        self._do_lost_ones_again()
        if self._are_all_begun():  # workers that would find nothing to do take seconds to start
            return
        ends = [self.study.point(values) for values in self.study.ends()]
        this = Process.this().token
        setup = Setup(versions(), self.study.imports, own_classes(ends), this)
        with self._crew(where, setup, ends) as self.crew:
            self._until_all_is_done()

    def _crew(self, where: Any, setup: Setup, ends: list[Point]) -> Any:
        if where is None:
            return nullcontext(_Here(setup))
        jobs, needed = self.study.trials, memory_needed(ends, None)
        return Crew(where, needed, jobs, setup, self.view.say, A_TRIAL_A_THREAD)

    def _are_all_begun(self) -> bool:
        return len(counted(self.optuna.trials)) >= self.study.trials

    def _until_all_is_done(self) -> None:
        while True:
            while self.crew.has_room() and self._ask():
                pass
            if not self.crew.busy:
                # another process may have been killed meanwhile
                if self._do_lost_ones_again():
                    continue
                return
            for job, outcome in self.crew.finished(SECONDS_BETWEEN_LOOKS):
                self._settle(job.run, outcome)
            self.lock.touch()

    def _ask(self) -> bool:
        """Begin another trial; False where there are as many as asked for."""
        with quiet(), alone(self.folder):
            so_far = counted(self.optuna.trials)
            if len(so_far) >= self.study.trials:
                return False
            # anew for each trial, so that what follows depends on the trials so far alone, and a
            # study that was killed does not draw again what it drew before
            seed = np.random.SeedSequence([self.study.seed, len(so_far)]).generate_state(1)
            self.optuna.sampler = self.study.sampler.sampler(int(seed[0]))
            trial = self.optuna.ask()
            trial.set_user_attr(PROCESS, self.name)
            values = {field: _drawn(trial, field, of) for field, of in self.study.tune.items()}
        self._begin(trial, values)
        return True

    def _begin(self, trial: Any, values: Values) -> None:
        try:
            point = self.study.point(values)
        except AttractoryError as error:  # values that do not go together
            self._fail(trial, str(error))
            return
        origin = _origin(trial)
        # where two trials have the same values, neither may take the other's folder
        key = f"{point.identity[:16]}-{origin}"
        self.trials[trial.number] = trial, key
        job = Job(trial.number, point.identity, 0, point.nets, True)
        self.crew.submit(job, self._order(trial, key, point))

    def _order(self, trial: Any, key: str, point: Point) -> Order:
        towards = self.study.objective[0].towards
        return Order(
            key=key,
            parts=pickled((point.task, point.model, point.rule)),
            values=point.values_in_words(),
            seed=point.seed,
            first=0,
            stop=point.nets,
            scoring=self.study.scored,
            folder=str(self.folder.absolute()),
            sign=f"{AT_WORK}/{self.name}",  # which is there as long as this process works
            commit=self.commit,
            on_check=Pruning(trial, towards) if self.study.pruner else None,
        )

    def _settle(self, number: int, outcome: Outcome | None) -> None:
        """What comes of a trial that has ended; None where nobody knows how: it is done again."""
        trial, key = self.trials.pop(number)
        if outcome is None or self._may_be_done_again(trial, outcome):
            self._again(self.optuna.trials[number])
            return
        if outcome.status == REFUSED or outcome.halts:
            self._again(self.optuna.trials[number])
            kind = FileProblem if outcome.halts else InvalidSetting
            raise kind(outcome.noted["line"])
        with quiet():
            if outcome.status == DONE:
                self._keep(trial, outcome)
            elif outcome.status == PRUNED:
                trial.set_user_attr("seconds", outcome.noted["seconds"])
                trial.set_user_attr("host", outcome.noted["host"])
                self.optuna.tell(trial, state=optuna().trial.TrialState.PRUNED)
                self.view.say(f"trial {number}: pruned")
            else:
                self._fail(trial, outcome.noted["line"])
        forget_working(self.folder, key)

    def _may_be_done_again(self, trial: Any, outcome: Outcome) -> bool:
        """Whether it came to nothing because its worker died, and not for the last time."""
        if outcome.status != LOST:
            return False
        origin = _origin(trial)
        self.deaths[origin] += 1
        return self.deaths[origin] <= RETRIES

    def _keep(self, trial: Any, outcome: Outcome) -> None:
        rows = outcome.noted["networks"]
        write_bytes(trial_file(self.folder, trial.number), outcome.content)
        names = [each.name for each in self.study.objective]
        numbers = [float(np.mean([row[name] for row in rows])) for name in names]
        if any(row["outcome"] == "diverged" for row in rows) or not np.isfinite(numbers).all():
            self._fail(trial, "a network diverged, or has no such number")
            return
        trial.set_user_attr("seconds", outcome.noted["seconds"])
        trial.set_user_attr("host", outcome.noted["host"])
        self.optuna.tell(trial, numbers)
        told = ", ".join(f"{n} {v:.4g}" for n, v in zip(names, numbers, strict=True))
        self.view.say(f"trial {trial.number}: {told} ({_in_short(trial.params)})")

    def _fail(self, trial: Any, line: str) -> None:
        with quiet():
            trial.set_user_attr(LINE, line)
            self.optuna.tell(trial, state=optuna().trial.TrialState.FAIL)
        self.view.say(f"trial {trial.number} failed ({_in_short(trial.params)}): {line}")

    def _do_lost_ones_again(self) -> bool:
        """Have trials tried again that were running when their process ended; whether any were."""
        with alone(self.folder):
            there = those_at_work(self.folder)
            running = [t for t in self.optuna.trials if t.state.name == "RUNNING"]
            lost = [trial for trial in running if trial.user_attrs.get(PROCESS) not in there]
            for trial in lost:
                self._again(trial)
        return bool(lost)

    def _again(self, trial: Any) -> None:
        """Have what a trial tried tried by another one."""
        origin = _origin(trial)
        with quiet():
            # in this order, and not twice: a kill between the two loses nothing
            again = [
                each.number for each in self.optuna.trials if each.user_attrs.get(ORIGIN) == origin
            ]
            failed = LINE in trial.user_attrs  # which it was about to say
            if not failed and max(again, default=-1) <= trial.number:
                self.optuna.enqueue_trial(values_of(trial), user_attrs={ORIGIN: origin})
            self.optuna.tell(trial.number, state=optuna().trial.TrialState.FAIL)
        trial_file(self.folder, trial.number).unlink(missing_ok=True)  # Optuna was not told of it
        self.view.say(f"trial {trial.number} was cut off; its values are tried again")


def _origin(trial: Any) -> int:
    """The number of the trial that first had the values."""
    return int(trial.user_attrs.get(ORIGIN, trial.number))


def _drawn(trial: Any, field: str, of: Span | list[Any]) -> Any:
    if isinstance(of, list):
        return trial.suggest_categorical(field, of)
    suggest = trial.suggest_int if of.whole else trial.suggest_float
    return suggest(field, of.low, of.high, log=of.log)


def _in_short(values: Values) -> str:
    return ", ".join(f"{field} = {in_short(value)}" for field, value in values.items())
