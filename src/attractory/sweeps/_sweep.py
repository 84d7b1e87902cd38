"""A sweep: every run of a study, done by workers, none lost and none twice."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import Counter, deque
from pathlib import Path
from typing import Any

from attractory._arguments import a_flag, instance_of, optional, takes, whole
from attractory._errors import FileProblem, InvalidSetting, nearest, shown
from attractory._files import as_path
from attractory._process import Process
from attractory.runs import FolderLock
from attractory.sweeps._cluster import dask, memory_needed, script
from attractory.sweeps._common import as_study_of
from attractory.sweeps._crew import Crew, own_classes, pickled
from attractory.sweeps._opened import Sweep, open_sweep
from attractory.sweeps._progress import SweepProgress
from attractory.sweeps._provenance import commit_of
from attractory.sweeps._store import (
    DONE,
    FAILED,
    LOG,
    LOST,
    RUNNING,
    SIGN,
    Job,
    Store,
    begun,
    jobs_of,
)
from attractory.sweeps._study import Point, Study, in_words
from attractory.sweeps._where import Cluster
from attractory.sweeps._work import REFUSED, Order, Outcome, Setup, versions
from attractory.training import terminated_as_interrupted

REDO = ("failed",)  # what may be done again; what was lost is among it
SECONDS_BETWEEN_LOOKS = 1.0  # at the lock, the view and the log
SECONDS_BETWEEN_TOUCHES = 60.0  # of the lock, which other machines take for left after an hour


def _as_redo(name: str, value: Any) -> str:
    if value not in REDO:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed; {nearest(value, REDO)}")
    return str(value)


@takes(
    study=as_study_of(Study),
    scheduler=optional(lambda name, value: Cluster(kind="dask", address=value)),
    cluster=optional(instance_of(Cluster)),
    workers=optional(whole(1)),
    retries=whole(),
    redo=optional(_as_redo),
    progress=a_flag,
)
def sweep(
    study: Study,
    path: str | Path,
    *,
    scheduler: str | None = None,
    cluster: Cluster | None = None,
    workers: int | None = None,
    retries: int = 2,
    redo: str | None = None,
    progress: bool = True,
) -> Sweep:
    """Train all runs of a study, on this machine or on a cluster; interrupted, it goes on.

    Every point is made and checked before anything runs. Then workers train, one run each at a
    time, and what they hand back is kept in one file a run. The same call goes on after whatever
    has stopped it (Ctrl-C, `kill -9`, a full disk, a power cut): what is done is not done again,
    and a run on its way goes on from its last checkpoint, to the same weights bit for bit.

    Parameters
    ----------
    study : Study, dict, str or Path
        The study, its keys and values, or its YAML file.
    path : str or Path
        The folder of the sweep. A study may grow: with further points the same folder goes on.
    scheduler : str, optional
        The address of a Dask scheduler whose workers are used, as "tcp://10.0.0.1:8786".
    cluster : Cluster, optional
        Where workers are. None: what the study says, or as many processes on this machine as it has
        cores and memory for.
    workers : int, optional
        Their number, over what the cluster says.
    retries : int
        How often a run is tried again that failed or whose worker died.
    redo : str, optional
        "failed": runs that failed or were lost in an earlier call are tried again, too.
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Sweep
        All runs, as `open_sweep` gives them; those that failed are told in its table, and raise
        nothing.

    Raises
    ------
    InvalidSetting
        For a study that cannot be trained, before anything runs; where nobody answers at the
        scheduler's address; for workers that have another version, or not the user's own parts.
    FileProblem
        Where the folder belongs to another study or is worked on, and when a disk is full.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, when the workers have written their checkpoints.

    Examples
    --------
    >>> sweep = at.sweep("study.yaml", "sweeps/rates")  # doctest: +SKIP
    >>> sweep.table()  # doctest: +SKIP
    """
    folder = as_path(path)
    dask()  # which says how it is installed where it is not
    points = study.points()
    where = _where(study, scheduler, cluster, workers)
    with terminated_as_interrupted(), FolderLock(folder, "sweep") as lock:
        store = begun(folder, study, points)
        store.tidy()
        with contextlib.closing(store):
            waiting = _to_do(store, redo)
            if waiting:
                with SweepProgress(folder / LOG, len(store.jobs), progress) as view:
                    _Sweeping(study, points, store, lock, view, retries, waiting).go(where)
    return open_sweep(folder)


@takes(
    study=as_study_of(Study),
    scheduler=optional(lambda name, value: Cluster(kind="dask", address=value)),
    workers=optional(whole(1)),
)
def plan(study: Study, scheduler: str | None = None, workers: int | None = None) -> str:
    """What a sweep would do: every point made and checked, nothing trained.

    Parameters
    ----------
    study : Study, dict, str or Path
        The study, its keys and values, or its YAML file.
    scheduler : str, optional
        As for `sweep`.
    workers : int, optional
        As for `sweep`.

    Returns
    -------
    str
        How many runs and networks there are, what one of them takes of memory, and where workers
        would be: of a queue the script of one worker.

    Raises
    ------
    InvalidSetting
        As `sweep`.
    """
    points = study.points()
    jobs = jobs_of(study, points)
    needed = memory_needed(points, study.split)
    networks = sum(point.nets for point in points)
    said = f"{len(points)} runs of {networks} networks, {len(jobs)} jobs for the workers"
    memory = f"memory: {needed / 2**20:.0f} MB for the largest, beside the process itself"
    return "\n".join([said, memory, script(_where(study, scheduler, None, workers), needed)])


def _where(study: Study, scheduler: Any, cluster: Cluster | None, workers: int | None) -> Cluster:
    """The cluster: by address, as it is given, as the study says, or on this machine."""
    if scheduler is not None:
        found: Cluster = scheduler
    else:
        found = cluster or study.cluster or Cluster()
    return found if workers is None else found.replace(workers=workers)


def _to_do(store: Store, redo: str | None) -> deque[Job]:
    """The jobs that are still to be done, in the order of the study."""
    settled = {DONE} if redo else {DONE, FAILED, LOST}
    return deque(job for job in store.jobs if store.status(job) not in settled)


class _Sweeping:
    """A sweep on its way: what waits, what is handed out, and what is done with what comes back."""

    def __init__(
        self,
        study: Study,
        points: list[Point],
        store: Store,
        lock: FolderLock,
        view: SweepProgress,
        retries: int,
        waiting: deque[Job],
    ) -> None:
        self.study, self.points, self.store = study, points, store
        self.lock, self.view, self.retries, self.waiting = lock, view, retries, waiting
        self.attempts: Counter[str] = Counter()
        todo = {job.key for job in waiting}
        self.counts = Counter(store.status(j) for j in store.jobs if j.key not in todo)
        self.sign = f"{SIGN}{uuid.uuid4().hex}"
        self.commit = commit_of(Path.cwd())
        self.touched = time.monotonic()
        self.pickled: tuple[tuple[Any, ...], bytes] | tuple[()] = ()

    def go(self, where: Cluster) -> None:
        """To the end of all jobs, or to what stops the sweep."""
        needed = memory_needed(self.points, self.study.split)
        parts, this = own_classes(self.points), Process.this().token
        setup = Setup(versions(), self.study.imports, parts, this)
        sign = self.store.folder / self.sign
        try:
            sign.touch()
            with Crew(where, needed, len(self.waiting), setup, self.view.say) as self.crew:
                self._until_all_is_done()
        except OSError as error:
            raise FileProblem(
                f"{error}; {self.counts[DONE]} of {len(self.store.jobs)} are done and whole, and "
                "the same command goes on with the rest"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                sign.unlink()

    def _until_all_is_done(self) -> None:
        while self.waiting or self.crew.busy:
            while self.waiting and self.crew.has_room():
                self._hand_out(self.waiting.popleft())
            for job, outcome in self.crew.finished(SECONDS_BETWEEN_LOOKS):
                self._settle(job, outcome)
            self._look_after()

    def _hand_out(self, job: Job) -> None:
        point = self.points[job.run]
        order = Order(
            key=job.key,
            parts=self._parts(point),
            values=point.values_in_words(),
            seed=point.seed,
            first=job.first,
            stop=job.stop,
            scoring=self.study.scoring,
            folder=str(self.store.folder.absolute()),
            sign=self.sign,
            commit=self.commit,
        )
        self.crew.submit(job, order)
        self.store.note(job, RUNNING, attempt=self.attempts[job.key] + 1)

    def _parts(self, point: Point) -> bytes:
        """Task, model and rule of a point, pickled; points in a row often have the same."""
        parts = (point.task, point.model, point.rule)
        if not self.pickled or any(a is not b for a, b in zip(parts, self.pickled[0], strict=True)):
            self.pickled = (parts, pickled(parts))
        return self.pickled[1]

    def _settle(self, job: Job, outcome: Outcome | None) -> None:
        """What comes of a job that has ended; None where nobody knows how: it is done again."""
        if outcome is None:
            self.waiting.appendleft(job)
        elif outcome.status == DONE:
            self.store.keep(job, outcome.content, outcome.noted)
            self.counts[DONE] += 1
            self.view.see(self.store.content["runs"][job.run]["values"], outcome.noted["networks"])
        elif outcome.status == REFUSED:
            raise InvalidSetting(outcome.noted["line"])
        elif outcome.halts:
            raise FileProblem(outcome.noted["line"])
        else:
            self._fail(job, outcome)

    def _fail(self, job: Job, outcome: Outcome) -> None:
        """Have it tried again, or note that it will not be."""
        self.attempts[job.key] += 1
        attempt = self.attempts[job.key]
        run = f"run {job.run} ({in_words(self.points[job.run].values)})"
        if attempt <= self.retries and not outcome.final:
            self.view.log(f"{run}: attempt {attempt}: {outcome.noted['line']}")
            self.waiting.append(job)
            return
        self.store.note(job, outcome.status, attempt=attempt, **outcome.noted)
        self.counts[outcome.status] += 1
        self.view.say(f"{run} {outcome.status}: {outcome.noted['line']}")

    def _look_after(self) -> None:
        """The view, the log, and the lock, which says to other machines that this still works."""
        self.view.show(self.counts + Counter({RUNNING: self.crew.busy}))
        if time.monotonic() - self.touched > SECONDS_BETWEEN_TOUCHES:
            self.touched = time.monotonic()
            self.lock.touch()
