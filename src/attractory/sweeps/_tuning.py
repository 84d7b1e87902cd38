"""What a tuning has: its trials, the best of them, and what the best is worth on fresh seeds."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_name, optional, takes, whole
from attractory._errors import InvalidSetting, NamesNearest, nearest
from attractory._files import a_path, as_path, exists, parsed_json, read_bytes, write_text
from attractory._shown import as_html
from attractory.population import TriedSettings
from attractory.runs import Run, load
from attractory.sweeps._optimism import optimism_of
from attractory.sweeps._optuna import as_it_stands, importances, quiet, reaching
from attractory.sweeps._pack import run_in, unpacked
from attractory.sweeps._studied import Provenance, StudiedTuning
from attractory.sweeps._trials import LINE, NAMES, STATES, counted, values_of
from attractory.sweeps._tried import tried_in_tuning
from attractory.sweeps._tuned_fields import ranges_of, recipe_of
from attractory.sweeps._tuning_store import RETRAINED_ROWS, opened, trial_file

TABLE = "table.csv"


class Tuning(NamesNearest):
    """A tuning in its folder, as it stood when it was opened.

    Parameters
    ----------
    path : Path
        The folder.
    storage : str, optional
        Where the trials are, over what the folder says.

    Attributes
    ----------
    path : Path
        The folder.
    fields : tuple of str
        What is tuned.
    objectives : dict of str
        What is optimised, and in which direction: "maximize" or "minimize".
    """

    def __init__(self, path: Path, storage: str | None = None) -> None:
        self.path = path
        with reaching(path):
            content, there = opened(path, storage)
            self._optuna = as_it_stands(there)
        self._described = content["described"]
        self.fields = tuple(self._described["tune"])
        self.objectives: dict[str, str] = self._described["objective"]
        self._trials = counted(self._optuna.trials)

    def __len__(self) -> int:
        return len(self._trials)

    def __repr__(self) -> str:
        return f"Tuning ({self.path}): {self.statement}"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return as_html("Tuning", self.table(), f"{self.path}: {self.statement}")

    @property
    def status(self) -> dict[str, int]:
        """How many trials stand in which way."""
        counts = Counter(NAMES[trial.state.name] for trial in self._trials)
        return {state: counts[state] for state in STATES}

    @property
    def statement(self) -> str:
        """How many trials there are, the best, and what it is worth where it was retrained."""
        parts = [f"{count} {state}" for state, count in self.status.items() if count]
        trials = f"{len(self)} trial{'s' * (len(self) != 1)}"
        said = f"{trials}: {', '.join(parts)}" if parts else "no trials"
        if len(self.objectives) > 1:
            return f"{said}; {len(self.best_trials)} on the Pareto front"
        for row in self.optimism().to_dict("records"):
            said += f"; best: trial {row['trial']}, {row['objective']} {row['chosen']:.4g}"
            if np.isfinite(row["fresh"]):
                said += (
                    f" on the trials it was chosen by, {row['fresh']:.4g} on fresh seeds and trials"
                )
        return said

    @cached_property
    def best_trials(self) -> list[int]:
        """The number of the best trial; of several objectives, of all on the Pareto front."""
        with quiet():
            return [trial.number for trial in self._optuna.best_trials[: self._most_best]]

    @property
    def _most_best(self) -> int | None:
        """Of one objective one: the first of those that are equal."""
        return 1 if len(self.objectives) == 1 else None

    @property
    def best(self) -> pd.DataFrame:
        """The rows of `table` of the best trial; of several objectives, of the Pareto front."""
        table = self.table()
        return table[table["trial"].isin(self.best_trials)].reset_index(drop=True)

    def table(self) -> pd.DataFrame:
        """All trials that were begun.

        Returns
        -------
        pandas.DataFrame
            A row a trial: trial, state ("complete", "pruned", "failed", "running"), the tuned
            fields, the objectives (means over the networks), step (of the last check, where it was
            pruned), seconds, host, and the line of a failure.
        """
        rows = [self._row(trial) for trial in self._trials]
        columns = ["trial", "state", *self.fields, *self.objectives, "step", "seconds", "host"]
        return pd.DataFrame(rows, columns=[*columns, LINE])

    def save_table(self) -> Path:
        """Write the table into the tuning's folder.

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

    def values(self, trial: int) -> dict[str, Any]:
        """The values of the tuned fields in a trial.

        Parameters
        ----------
        trial : int
            Its number.

        Returns
        -------
        dict
            By fields.

        Raises
        ------
        InvalidSetting
            For a number that no trial has.
        """
        return dict(values_of(self._trial(trial)))

    @property
    def retrained_rows(self) -> list[dict[str, Any]]:
        """What `retrained` is made of."""
        file = self.path / RETRAINED_ROWS
        if not exists(file):
            return []
        # what a network has no number of is written as NaN
        return list(parsed_json(read_bytes(file), str(file), not_finite=True))

    def retrained(self) -> pd.DataFrame:
        """The best values trained again on fresh seeds, scored on trials that no choice has seen.

        Returns
        -------
        pandas.DataFrame
            A row a network: trial (whose values it has), seed, net, outcome, step, losses, scores
            and measures; empty where nothing was retrained.
        """
        return pd.DataFrame(self.retrained_rows)

    def optimism(self) -> pd.DataFrame:
        """What the best trials seemed worth when they were chosen, and what they are worth.

        Returns
        -------
        pandas.DataFrame
            A row for each best trial and objective: trial, objective, chosen (its number on the
            trials by which it was chosen), fresh (mean over retrained networks, on trials that no
            choice has seen), standard_error (over the seeds; NaN of fewer than two), seeds, and
            optimism: by how much the chosen number is better.
        """
        chosen = {number: self._trial(number).values for number in self.best_trials}
        return optimism_of(chosen, self.objectives, self.retrained())

    @takes(objective=optional(a_name))
    def importance(self, objective: str | None = None) -> pd.DataFrame:
        """How much each field tells the better trials from the others.

        Parameters
        ----------
        objective : str, optional
            Which one; needed where there are several.

        Returns
        -------
        pandas.DataFrame
            A row a field, the most important first: field, importance (they sum to 1).

        Raises
        ------
        InvalidSetting
            For an unknown objective, and for fewer than two complete trials that differ in it.

        Notes
        -----
        The numbers are Optuna's, by PED-ANOVA [1]_: how far the values of the better trials are
        from those of all trials.

        References
        ----------
        .. [1] Watanabe, Bansal & Hutter (2023), IJCAI, 4389.
        """
        place = self._place_of(objective)
        known = [trial.values[place] for trial in self._complete]
        if len(known) < 2:
            raise InvalidSetting("importance needs 2 complete trials or more")
        if len(set(known)) == 1:
            name = list(self.objectives)[place]
            raise InvalidSetting(f"importance: all {len(known)} complete trials have one {name}")
        found = importances(self._optuna, place, list(self.objectives.values())[place])
        return pd.DataFrame({"field": list(found), "importance": list(found.values())})

    def tried(self) -> TriedSettings:
        """What was tuned, and what each trial came to: what figures of a tuning are made of.

        Returns
        -------
        TriedSettings
            A row a trial, and the importance of the fields where that is known.
        """
        return tried_in_tuning(self._described, self.table(), self._importances())

    @takes(path=optional(a_path))
    def report(self, path: str | Path | None = None) -> Path:
        """Write the page of the tuning, also while it is on its way.

        Parameters
        ----------
        path : str or Path, optional
            The file; None: report.html in the tuning's folder. Beside it stand a row a trial
            (table.csv) and a folder `figures`.

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
        from attractory.sweeps.page import PAGE, write_tuning

        return write_tuning(self._studied(), self.path / PAGE if path is None else Path(path))

    @takes(trial=whole())
    def run(self, trial: int, path: str | Path | None = None, **functions: Any) -> Run:
        """The run of a trial that is complete.

        Parameters
        ----------
        trial : int
            Its number, as `table` has it.
        path : str or Path, optional
            A folder that is made for it; None: in memory.
        **functions : callable
            Those that its model, task or rule was made with, as for `at.load`.

        Returns
        -------
        Run
            As `at.train` made it.

        Raises
        ------
        InvalidSetting
            For a number that no trial has, and for one that is not complete.
        FileProblem
            Where its file is damaged, or the folder holds other files.
        """
        state = NAMES[self._trial(trial).state.name]
        if state != "complete":
            raise InvalidSetting(f"trial = {trial} is not allowed: it is {state}, not complete")
        file = trial_file(self.path, trial)
        if path is None:
            return run_in(file, functions)
        folder = as_path(path)
        if folder.exists() and any(folder.iterdir()):
            raise InvalidSetting(f"{folder}: this folder holds other files; choose an empty one")
        return load(unpacked(file, folder), **functions)

    @property
    def _complete(self) -> list[Any]:
        return [trial for trial in self._trials if trial.state.name == "COMPLETE"]

    def _importances(self) -> dict[str, dict[str, float]]:
        """Of each objective, where it is known."""
        found = {}
        for name in self.objectives:
            with suppress(InvalidSetting):
                table = self.importance(name)
                found[name] = dict(zip(table["field"], table["importance"], strict=True))
        return found

    def _studied(self) -> StudiedTuning:
        """What its page is about."""
        complete = self._complete
        files = [trial_file(self.path, trial.number) for trial in complete]
        return StudiedTuning(
            name=self.path.resolve().name,
            task=self._described["task"]["name"],
            tried=self.tried(),
            table=self.table(),
            ranges=ranges_of(self._described),
            status=self.status,
            best=tuple(self.best_trials),
            optimism=self.optimism(),
            provenance=Provenance.of([trial.user_attrs for trial in complete], files),
            recipe=recipe_of(self._described),
        )

    def _place_of(self, objective: str | None) -> int:
        names = list(self.objectives)
        if objective is None and len(names) == 1:
            return 0
        if objective not in names:
            raise InvalidSetting(f"objective = {objective!r}: {nearest(str(objective), names)}")
        return names.index(objective)

    def _trial(self, number: int) -> Any:
        for trial in self._trials:
            if trial.number == number:
                return trial
        raise InvalidSetting(f"trial = {number} is not allowed: `table` has the numbers")

    def _row(self, trial: Any) -> dict[str, Any]:
        noted = trial.user_attrs
        # Optuna gives a pruned trial the last loss that it was told for a value
        is_complete = trial.state.name == "COMPLETE"
        numbers = trial.values if is_complete else [float("nan")] * len(self.objectives)
        return {
            "trial": trial.number,
            "state": NAMES[trial.state.name],
            **values_of(trial),
            **dict(zip(self.objectives, numbers, strict=True)),
            "step": trial.last_step,
            "seconds": noted.get("seconds"),
            "host": noted.get("host"),
            LINE: noted.get(LINE),
        }


@takes(storage=optional(a_name))
def open_tuning(path: str | Path, storage: str | None = None) -> Tuning:
    """A tuning from its folder, also while it is on its way.

    Parameters
    ----------
    path : str or Path
        The folder.
    storage : str, optional
        The address of the database where the folder's own lacks the password.

    Returns
    -------
    Tuning
        As it stands now.

    Raises
    ------
    FileProblem
        Where there is no tuning, or its trials cannot be read.
    """
    return Tuning(as_path(path), storage)
