"""What a sweep has: how each run stands, its scores, and the runs themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from attractory._arguments import optional, takes, whole
from attractory._errors import FileProblem, InvalidSetting, NamesNearest
from attractory._files import a_path, as_path, write_text
from attractory._shown import as_html
from attractory.population import TriedSettings
from attractory.runs import Run, load, worked_on
from attractory.sweeps._pack import record_of, run_in, unpacked
from attractory.sweeps._store import DONE, FAILED, LOST, RUNNING, STATES, WAITING, Job, Store
from attractory.sweeps._studied import Provenance, StudiedSweep
from attractory.sweeps._tried import tried_in_sweep

OF_ATTEMPTS = ("attempt", "seconds", "memory", "host", "line")  # what is noted beside the networks
MOST_SHOWN = 5  # failures
TABLE = "table.csv"


class Sweep(NamesNearest):
    """A sweep in its folder, as it stands now.

    Parameters
    ----------
    path : Path
        The folder.

    Attributes
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._store = Store(path)
        self._working = worked_on(path)
        self._jobs: dict[int, list[Job]] = {}
        for job in self._store.jobs:
            self._jobs.setdefault(job.run, []).append(job)

    def __len__(self) -> int:
        return len(self._store.content["runs"])

    def __repr__(self) -> str:
        lines = [f"Sweep ({self.path}): {self.statement}"]
        failed = self.failures().head(MOST_SHOWN)
        lines += [f"run {row.run} {row.status}: {row.line}" for row in failed.itertuples()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html("Sweep", self.table(), f"{self.path}: {self.statement}")

    @property
    def status(self) -> dict[str, int]:
        """How many runs stand in which way; one of several parts is done once all of them are."""
        counts = Counter(self._status(run) for run in range(len(self)))
        return {state: counts[state] for state in STATES}

    @property
    def statement(self) -> str:
        """How many runs stand in which way, in words."""
        parts = [f"{count} {state}" for state, count in self.status.items() if count]
        return f"{len(self)} runs: {', '.join(parts)}"

    def table(self) -> pd.DataFrame:
        """What varies, how each run stands, and what its networks come to.

        Returns
        -------
        pandas.DataFrame
            A row a network: run, net, the fields that vary, status ("waiting", "running", "done",
            "failed", "lost"), and where it is done outcome ("finished", "stopped early",
            "diverged"), step, loss (mean over the last 10 updates), validation_loss, scores and
            measures, seconds (of the training and scoring of all networks together), memory (peak,
            bytes) and host; of one that runs or has failed attempt, of a failure its line.
        """
        rows = [row for run, jobs in self._jobs.items() for job in jobs for row in self._rows(job)]
        return pd.DataFrame(rows)

    def save_table(self) -> Path:
        """Write the table into the sweep's folder.

        Returns
        -------
        Path
            The file, table.csv.

        Raises
        ------
        FileProblem
            Where it cannot be written.
        """
        return write_text(self.path / TABLE, self.table().to_csv(index=False))

    def failures(self) -> pd.DataFrame:
        """The runs that failed or were lost.

        Returns
        -------
        pandas.DataFrame
            A row for each: run, the fields that vary, status, attempt, host, line.
        """
        rows = []
        for job in self._store.jobs:
            if self._store.status(job) in (FAILED, LOST):
                noted = self._store.notes[job.key]
                told = {name: noted.get(name) for name in ("status", "attempt", "host", "line")}
                rows.append({"run": job.run, **self._values(job.run), **told})
        return pd.DataFrame(rows)

    def tried(self) -> TriedSettings:
        """What was varied, and what each network came to: what figures of a sweep are made of.

        Returns
        -------
        TriedSettings
            A row a network, as they stand now.
        """
        return self._tried(self.table())

    @takes(path=optional(a_path))
    def report(self, path: str | Path | None = None) -> Path:
        """Write the page of the sweep, also while it is on its way.

        Parameters
        ----------
        path : str or Path, optional
            The file; None: report.html in the sweep's folder. Beside it stand a row a network
            (table.csv), a row a point (points.csv), and a folder `figures`.

        Returns
        -------
        Path
            The page, which works offline.

        Raises
        ------
        FileProblem
            Where a file cannot be written.
        """
        # its figures take seconds to load, which workers and listings need not wait for
        from attractory.sweeps.page import PAGE, write_sweep

        return write_sweep(self._studied(), self.path / PAGE if path is None else Path(path))

    @takes(run=whole())
    def run(self, run: int, path: str | Path | None = None, **functions: Any) -> Run:
        """One of the runs.

        Parameters
        ----------
        run : int
            Its number, as `table` has it.
        path : str or Path, optional
            A folder that is made for it, where its results are kept then; None: in memory.
        **functions : callable
            Those that its model, task or rule was made with, as for `at.load`.

        Returns
        -------
        Run
            As `at.train` made it; of a run in parts, all of them joined.

        Raises
        ------
        InvalidSetting
            For a number that no run has, and for one that is not done.
        FileProblem
            Where a file is damaged.
        """
        jobs = self._done(run)
        if path is None or len(jobs) > 1:
            parts = [run_in(self._store.place(job), functions) for job in jobs]
            made = parts[0] if len(parts) == 1 else Run.join(parts)
            if path is not None:
                made.save(path)
            return made
        folder = as_path(path)
        if folder.exists() and any(folder.iterdir()):
            raise FileProblem(f"{folder}: this folder holds other files; choose an empty one")
        return load(unpacked(self._store.place(jobs[0]), folder), **functions)

    @takes(run=whole())
    def provenance(self, run: int) -> list[dict[str, Any]]:
        """How a run was made.

        Parameters
        ----------
        run : int
            Its number.

        Returns
        -------
        list of dict
            For each part of it (one, where it was trained at once): what varies, versions of the
            packages, git commit of the folder in which the sweep was begun, host, seconds, peak
            memory (bytes).

        Raises
        ------
        InvalidSetting
            For a number that no run has, and for one that is not done.
        FileProblem
            Where a file is damaged.
        """
        return [record_of(self._store.place(job)) for job in self._done(run)]

    def _tried(self, table: pd.DataFrame) -> TriedSettings:
        return tried_in_sweep([self._values(run) for run in range(len(self))], table)

    def _studied(self) -> StudiedSweep:
        """What its page is about."""
        table = self.table()
        done = [job for job in self._store.jobs if self._store.status(job) == DONE]
        noted = [self._store.notes[job.key] for job in done]
        return StudiedSweep(
            name=self.path.resolve().name,
            tried=self._tried(table),
            table=table,
            status=self.status,
            seeds=len({self._values(run).get("seed") for run in range(len(self))}),
            failures=self.failures(),
            provenance=Provenance.of(noted, [self._store.place(job) for job in done]),
        )

    def _done(self, run: int) -> list[Job]:
        if run not in self._jobs:
            raise InvalidSetting(f"run = {run} is not allowed: 0 to {len(self) - 1}")
        if self._status(run) != DONE:
            raise InvalidSetting(f"run = {run} is not allowed: it is {self._status(run)}, not done")
        return self._jobs[run]

    def _status(self, run: int) -> str:
        """That of the part which stands worst."""
        found = {self._of(job) for job in self._jobs[run]}
        return next(state for state in (LOST, FAILED, RUNNING, WAITING, DONE) if state in found)

    def _of(self, job: Job) -> str:
        """What was running when its sweep ended waits for the next."""
        status = self._store.status(job)
        return WAITING if status == RUNNING and not self._working else status

    def _values(self, run: int) -> dict[str, Any]:
        values: dict[str, Any] = self._store.content["runs"][run]["values"]
        return values

    def _rows(self, job: Job) -> list[dict[str, Any]]:
        noted = self._store.notes.get(job.key, {})
        told = {name: noted[name] for name in OF_ATTEMPTS if name in noted}
        nets = noted.get("networks") or [{"net": net} for net in range(job.first, job.stop)]
        values, status = self._values(job.run), self._of(job)
        return [
            {"run": job.run, "net": of["net"], **values, "status": status, **of, **told}
            for of in nets
        ]


@takes()
def open_sweep(path: str | Path) -> Sweep:
    """A sweep from its folder, also while it is on its way.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    Sweep
        As it stands now.

    Raises
    ------
    FileProblem
        Where there is no sweep, or its list of runs is damaged.
    """
    return Sweep(as_path(path))
