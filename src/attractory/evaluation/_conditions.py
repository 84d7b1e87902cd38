"""How well networks do in the different conditions of a task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory.evaluation._interval import wilson_interval
from attractory.evaluation._networks import Networks
from attractory.evaluation._responses import as_responses
from attractory.tasks import Task, Trials, as_task_or_trials

MOST_LEVELS = 12  # a condition with more values than these, not integers, is cut into bins
BINS = 8


@takes(task=optional(as_task_or_trials))
def by_condition(
    networks: Networks,
    task: Task | None = None,
    by: str | Sequence[str] = (),
    n: int = 512,
    seed: int = 0,
) -> pd.DataFrame:
    """The share of trials answered correctly in each condition: a row a network and condition.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or Responses
        All get the same trials. Responses bring their own, and n and seed are not looked at.
    task : Task, optional
        None: the task of the run, or of the responses.
    by : str or sequence of str
        A condition of the trials (`Trials.conditions`), or several, whose combinations are then
        the rows. One with more than 12 values, unless they are integers, is cut into up to 8 bins
        of equal numbers of trials, each named by its mean.
    n : int
        Number of trials.
    seed : int
        Of the trials and of the networks' own noise.

    Returns
    -------
    pandas.DataFrame
        Columns: net, the conditions, trials (how many there are), scored (those of them that have a
        correct answer), correct (share of these), low and high (its 95 % Wilson interval); for a
        task with options also the share of all trials in which each option was chosen, as "chose
        OPTION" (with several answers "chose OPTION in EPOCH").

    Raises
    ------
    InvalidSetting
        For an unknown condition, or none.
    """
    answers = as_responses(networks, task, n, seed)
    meant, trials = answers.task, answers.trials
    names = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    if not names:
        raise InvalidSetting("by is empty; at least one condition is needed")
    levels = {name: in_levels(condition("by", name, meant, trials)) for name in names}
    tables = []
    for net, outputs in enumerate(answers):
        table = _shares(levels, meant.correct(outputs, trials), _choices(outputs, meant, trials))
        table.insert(0, "net", net)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def condition(argument: str, name: str, task: Task, trials: Trials) -> np.ndarray:
    """The values (trial,) of a condition; InvalidSetting names those that there are."""
    if name not in trials.conditions:
        known = trials.conditions
        allowed = nearest(name, known) if known else "its trials have none"
        raise InvalidSetting(
            f"{argument} = {shown(name)} is no condition of {task.name}; {allowed}"
        )
    return trials.conditions[name]


def in_levels(values: np.ndarray) -> np.ndarray:
    """The values of a condition in levels: integers or few as they are, many others in bins.

    Parameters
    ----------
    values : array (trial,)
        Of the condition, NaN where a trial has none.

    Returns
    -------
    array (trial,)
        The level of each trial, the mean of its bin where more than 12 values were cut into up to 8
        bins of equal numbers of trials. Float32 numbers come back as the decimal that they are
        written as (6.4, not 6.400000095).
    """
    if values.dtype.kind in "biu":
        return values
    if len(np.unique(values[~np.isnan(values)])) <= MOST_LEVELS:
        return np.array([float(str(value)) for value in values]) + 0.0  # no -0
    series = pd.Series(values, dtype=float)
    bins = pd.qcut(series, BINS, labels=False, duplicates="drop")
    return series.groupby(bins).transform("mean").to_numpy()


def _shares(
    levels: dict[str, np.ndarray], correct: np.ndarray, choices: dict[str, np.ndarray]
) -> pd.DataFrame:
    """A row for each combination of levels, from one value a trial of each argument."""
    groups = pd.DataFrame({**levels, "correct": correct, **choices}).groupby(
        list(levels), dropna=False
    )
    table = groups.mean()
    scored = groups["correct"].count()
    low, high = wilson_interval(groups["correct"].sum().to_numpy(), scored.to_numpy())
    for place, (name, column) in enumerate({"trials": groups.size(), "scored": scored}.items()):
        table.insert(place, name, column)
    table.insert(3, "low", low)
    table.insert(4, "high", high)
    return table.reset_index()


def _choices(outputs: np.ndarray, task: Task, trials: Trials) -> dict[str, np.ndarray]:
    """Whether each option was chosen, (trial,) by column name; nothing for other tasks."""
    if not task.options:
        return {}
    chosen = task.chosen(outputs, trials)
    several = chosen.shape[1] > 1
    where = [f" in {epoch}" for epoch in task.answer_epochs] if several else [""]
    return {
        f"chose {option}{place}": chosen[:, k] == i
        for k, place in enumerate(where)
        for i, option in enumerate(task.options)
    }
