"""What a network does on average in each condition of its trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from attractory._arguments import a_flag, a_name, a_window, names_of, optional, takes
from attractory._errors import InvalidSetting, shown
from attractory._result import Result
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._variables import CORRECT, values_of, with_options
from attractory.evaluation import in_levels
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, aligned, as_task, as_trials


@dataclass(frozen=True, repr=False)
class ConditionAverages(Result):
    """Averages over the trials of each condition, aligned to a moment of the trials.

    Attributes
    ----------
    by : tuple of str
        What tells the conditions apart.
    conditions : dict of array (condition,)
        The values of each condition, by the names in `by`; of a choice the name of the option.
    trials : array of int (condition,)
        The number of trials of each.
    time_ms : array (time,)
        The end of each step after the moment that the trials share (ms).
    averages, sem : array (condition, time, unit)
        Mean over the trials that have a step then, and its standard error; NaN where no trial has
        one (of the standard error: fewer than two). Of outputs the last axis is (output,).
    counts : array of int (condition, time)
        The number of trials that have a step then.
    align : str or None
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    of : {"states", "outputs"}
        What is averaged.
    names : tuple of str
        Of the outputs, where the trials have them; empty for units.
    left_out : int
        Trials that are in no condition: without a value of one of `by`, or not correct where only
        correct ones are asked for.
    """

    by: tuple[str, ...]
    conditions: dict[str, np.ndarray]
    trials: np.ndarray
    time_ms: np.ndarray
    averages: np.ndarray
    sem: np.ndarray
    counts: np.ndarray
    align: str | None
    of: str
    names: tuple[str, ...]
    left_out: int

    @property
    def statement(self) -> str:
        """How many conditions, trials and empty steps there are, in words."""
        fewest, most = self.trials.min(), self.trials.max()
        words = f"{len(self.trials)} condition{'s' * (len(self.trials) > 1)} of "
        words += f"{fewest} trials each" if fewest == most else f"{fewest} to {most} trials"
        if self.left_out:
            words += f"; {self.left_out} trials are in none"
        empty = int((self.counts == 0).sum())
        if empty:
            words += f"; at {empty} of {self.counts.size} times no trial has a step (NaN)"
        return words + "."

    def table(self) -> pd.DataFrame:
        """The conditions as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each condition: its values, its trials, the first and the last time (ms) at
            which any of them has a step.
        """
        counted = self.counts > 0
        backward = counted[:, ::-1]
        first = self.time_ms[counted.argmax(axis=1)]
        last = self.time_ms[::-1][backward.argmax(axis=1)]
        values = {name: self.conditions[name] for name in self.by}
        times = {"first time (ms)": first, "last time (ms)": last}
        return pd.DataFrame({**values, "trials": self.trials, **times})

    def to_xarray(self) -> Any:
        """The averages with named dimensions.

        Returns
        -------
        xarray.Dataset
            The variables `averages`, `sem` and `counts` with the dimensions condition, time (ms)
            and unit (or output); the values of the conditions are coordinates.
        """
        import xarray

        last = {"states": "unit", "outputs": "output"}[self.of]
        axes = ("condition", "time", last)
        coordinates: dict[str, Any] = {"time": ("time", self.time_ms, {"units": "ms"})}
        for name, values in self.conditions.items():
            taken = name in (*axes, "averages", "sem", "counts")
            coordinates[f"{name}_condition" if taken else name] = ("condition", values)
        if self.names:
            coordinates[last] = list(self.names)
        arrays = {"averages": (axes, self.averages), "sem": (axes, self.sem)}
        return xarray.Dataset({**arrays, "counts": (axes[:2], self.counts)}, coordinates)


@kept
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    by=names_of,
    task=optional(as_task),
    align=optional(a_name),
    window_ms=optional(a_window),
    of=a_name,
    correct_only=a_flag,
)
def condition_averages(
    network: Network | Trajectory,
    trials: Trials,
    by: str | tuple[str, ...] = (),
    task: Task | None = None,
    align: str | None = None,
    window_ms: tuple[float, float] | None = None,
    of: Literal["states", "outputs"] = "states",
    correct_only: bool = False,
    seed: int = 0,
) -> ConditionAverages:
    """Average the states of a network, or its outputs, over the trials of each condition.

    Only the trials' own steps count, not those that fill shorter trials up to the longest.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given.
    by : str or sequence of str
        Conditions of the trials (`Trials.conditions`), whose combinations are averaged over; one of
        more than 12 values, unless they are integers, is cut into up to 8 bins of equal numbers of
        trials, each named by its mean. With a task also "choice", the option that the network
        chose ("choice_1", "choice_2" where there are several answers), and "correct". Without any
        all trials are one condition.
    task : Task, optional
        That the trials are of: it tells choices, and whether they are correct.
    align : str, optional
        The epoch at whose beginning the time is 0; None: the beginning of the trial.
    window_ms : (float, float), optional
        From when to when (ms, both included). None: the steps of the epoch `align`, without it all
        steps of the trials (see `attractory.tasks.aligned`).
    of : {"states", "outputs"}
        What is averaged.
    correct_only : bool
        Only trials that are answered correctly count.
    seed : int
        Of the network's own noise, where it has any.

    Returns
    -------
    ConditionAverages
        The averages of the conditions that have a trial, with standard errors and numbers of
        trials.

    Raises
    ------
    InvalidSetting
        For an unknown condition or epoch, a window without steps, and where no trial is left.
    """
    if of not in ("states", "outputs"):
        raise InvalidSetting(f"of = {shown(of)} is not allowed: 'states' or 'outputs'")
    laid = aligned(trials, align, window_ms)
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(dict.fromkeys(by))
    values = values_of("by", names, outputs, trials, task)
    usable = np.ones(len(trials), bool)
    if correct_only:
        answered = values_of("correct_only", (CORRECT,), outputs, trials, task)
        usable = answered[CORRECT] == 1
    cells, conditions = _cells(values, usable)
    array = laid.of(states if of == "states" else outputs)
    parts = [
        _average(array[cells == cell], laid.counted[cells == cell])
        for cell in range(cells.max() + 1)
    ]
    by_kind = zip(*parts, strict=True)
    averages, sem, counts = (np.stack(part) for part in by_kind)
    return ConditionAverages(
        by=names,
        conditions=with_options(conditions, task),
        trials=np.bincount(cells[cells >= 0]),
        time_ms=laid.time_ms,
        averages=averages,
        sem=sem,
        counts=counts,
        align=align,
        of=of,
        names=trials.output_names if of == "outputs" and _named(trials) else (),
        left_out=int((cells < 0).sum()),
    )


def _named(trials: Trials) -> bool:
    """Each output has a name."""
    return len(trials.output_names) == trials.targets.shape[-1]


def _cells(
    values: dict[str, np.ndarray], usable: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The number of each trial's condition, -1 for none; the values of the conditions by name."""
    levels = {
        name: in_levels(given) if given.dtype.kind in "biuf" else given
        for name, given in values.items()
    }
    frame = pd.DataFrame(levels, index=range(len(usable)))
    used = usable & frame.notna().all(axis=1).to_numpy()
    if not used.any():
        raise InvalidSetting(
            f"none of the {len(usable)} trials is in a condition by which to average"
        )
    cells = np.full(len(usable), -1)
    if not levels:
        cells[used] = 0
        return cells, {}
    groups = frame[used].groupby(list(levels))
    cells[used] = groups.ngroup()
    first = groups.head(1)
    ordered = first.iloc[np.argsort(cells[first.index], kind="stable")]
    return cells, {name: ordered[name].to_numpy() for name in levels}


def _average(array: np.ndarray, counted: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and standard error (time, unit) over trials, and how many there are (time,)."""
    counts = counted.sum(axis=0)
    number = np.where(counts > 0, counts, np.nan)[:, None]
    mean = np.nansum(array, axis=0) / number
    squares = np.nansum(np.square(array - mean), axis=0)
    freedom = np.where(counts > 1, counts - 1, np.nan)[:, None]
    variance = squares / freedom
    return mean, np.sqrt(variance / number), counts
