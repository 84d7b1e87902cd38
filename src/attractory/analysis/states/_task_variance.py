"""How much each unit varies in each task, rule or epoch, and the clusters that units fall into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from attractory._arguments import names_of, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory.analysis._clustering import by_size, cut, silhouettes_of
from attractory.analysis._given import network_or_trajectory, trajectory_in
from attractory.analysis.states._levels import levels_of
from attractory.models import Network, Trajectory
from attractory.runs import kept
from attractory.tasks import Task, Trials, aligned, as_task, as_trials

EPOCH = "epoch"  # in the place of a condition: variances of each epoch by itself
LEAST_SHARE = 1e-3  # of the largest variance of a unit; Yang et al. leave out units below 1e-3
LEAST_UNITS = 4  # of fewer, two clusters are always apart
SMALLEST = 1e-9  # of a unit's largest variance: a logarithm of 0 is none
SHUFFLES = 99  # p comes in steps of 1/100
LEVEL = 0.05  # of p, below which there is more than one cluster


@dataclass(frozen=True, repr=False)
class TaskVariance(Result):
    """Task variance of each unit, and clusters of units (see `task_variance`).

    Attributes
    ----------
    by : tuple of str
        What tells the groups of trials apart: conditions, and "epoch".
    groups : dict of array (group,)
        The values of each group, by the names in `by`.
    trials : array of int (group,)
        The number of trials of each.
    variance : array (unit, group)
        Variance over the trials of a group, averaged over time.
    active : array of bool (unit,)
        Units whose variance, over all groups, is at least 0.1 % of that of the unit with most.
    members : array of int (unit,)
        The cluster of each unit, the largest is 0; -1 of units that are not active.
    count : int
        How many clusters there are; 1 where nothing speaks for several, 0 without active units.
    tried : array of int (number,)
        The numbers of clusters that were tried.
    silhouettes : array (number,)
        The mean silhouette of each.
    null_silhouettes : array (shuffle,)
        The largest mean silhouette of units whose variances were shuffled, in each group alone.
    p : float
        The share of shuffles (and of the units as they are, one more) whose silhouette is as large;
        NaN where there is nothing to compare.
    """

    by: tuple[str, ...]
    groups: dict[str, np.ndarray]
    trials: np.ndarray
    variance: np.ndarray
    active: np.ndarray
    members: np.ndarray
    count: int
    tried: np.ndarray
    silhouettes: np.ndarray
    null_silhouettes: np.ndarray
    p: float

    @property
    def normalised(self) -> np.ndarray:
        """Variance in units of each unit's largest, (unit, group); NaN of units not active."""
        largest = self.variance.max(axis=1, keepdims=True)
        known = self.active[:, None] & (largest > 0)
        return np.where(known, self.variance / np.where(known, largest, 1.0), np.nan)

    @property
    def profiles(self) -> np.ndarray:
        """Mean normalised variance of the units of each cluster, (cluster, group)."""
        own = [self.normalised[self.members == cluster] for cluster in range(self.count)]
        if not own:
            return np.empty((0, self.variance.shape[1]))
        return np.stack([each.mean(axis=0) for each in own])

    @property
    def order(self) -> np.ndarray:
        """The active units by cluster, then by the group in which they vary most (unit,)."""
        units = np.flatnonzero(self.active)
        most = self.variance[units].argmax(axis=1)
        return units[np.lexsort((units, most, self.members[units]))]

    @property
    def statement(self) -> str:
        """How many units are active, and what their clusters are, in words."""
        units = f"{int(self.active.sum())} of {len(self.active)} units vary"
        if not len(self.tried):
            return f"{units}: too few for clusters."
        best = int(self.silhouettes.argmax())
        against = (
            f"mean silhouette {self.silhouettes[best]:.2f} with {self.tried[best]} clusters, "
            f"{np.median(self.null_silhouettes):.2f} in the median shuffle (p = {self.p:.2f})"
        )
        if self.count == 1:
            return f"{units}; nothing speaks for several clusters ({against})."
        sizes = ", ".join(str(size) for size in np.bincount(self.members[self.active]))
        return f"{units}, in {self.count} clusters of {sizes}: {against}."

    @property
    def names(self) -> tuple[str, ...]:
        """What the groups are called: their values, one after the other."""
        values = zip(*(self.groups[name] for name in self.by), strict=True)
        return tuple(", ".join(_in_words(value) for value in each) for each in values)

    def table(self) -> pd.DataFrame:
        """The units as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each unit: its cluster (-1: not active) and its variance in each group.
        """
        columns = dict(zip(self.names, self.variance.T, strict=True))
        known = {"unit": np.arange(len(self.members)), "cluster": self.members}
        return pd.DataFrame({**known, **columns})


def _in_words(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


@kept
@one_blas_thread
@takes(
    network=network_or_trajectory,
    trials=as_trials,
    by=names_of,
    task=optional(as_task),
    epochs=names_of,
    over=names_of,
    most=whole(2),
)
def task_variance(
    network: Network | Trajectory,
    trials: Trials,
    by: str | tuple[str, ...] = EPOCH,
    task: Task | None = None,
    epochs: str | tuple[str, ...] = (),
    over: str | tuple[str, ...] = (),
    most: int = 12,
    seed: int = 0,
) -> TaskVariance:
    """The variance of each unit over the trials of a task, of each rule, context or epoch.

    Parameters
    ----------
    network : Network or Trajectory
        Of a trajectory in these trials the states and outputs are taken as they are.
    trials : Trials
        What the network is given: the conditions that the task has.
    by : str or sequence of str
        Conditions of the trials (`Trials.conditions`), such as the rule or the context, with a task
        also "choice" and "correct", and "epoch": in each of their combinations the variance is
        taken by itself. Of more than 12 values, unless they are integers, up to 8 bins are made.
    task : Task, optional
        That the trials are of: it tells the choices.
    epochs : str or sequence of str
        The epochs that count, all when empty.
    over : str or sequence of str
        Conditions by whose combinations states are averaged first, so that the variance is over
        these averages, and not over trials and their noise. Empty: over trials.
    most : int
        The largest number of clusters that is tried.
    seed : int
        Of the network's own noise, and of the shuffles.

    Returns
    -------
    TaskVariance
        Variances, and the clusters of units by them.

    Raises
    ------
    InvalidSetting
        For an unknown condition or epoch, a condition that does not vary, and where no group has
        two trials.

    Notes
    -----
    As Yang et al. have it: the variance over trials at each time, averaged over time. Trials are
    laid over each other at the beginning of each epoch, so that those of other lengths are
    compared; only times at which two or more have a step count. A group without any is left out.

    Active units, each divided by its largest variance, are joined by Ward's linkage (Yang et al.
    took k-means); their number of clusters is that of the largest mean silhouette. There is more
    than one where in at most 5 % of shuffles the silhouette is as large: the values of each group
    are shuffled among units, each divided by its geometric mean. Units of a network that has
    learned nothing fall into clusters, too, as its inputs make them vary: compare with one.

    References
    ----------
    Yang, Joglekar, Song, Newsome & Wang (2019), Nat. Neurosci. 22:297.
    """
    states, outputs = trajectory_in(network, trials, seed)
    names = tuple(dict.fromkeys(by))
    if not names:
        raise InvalidSetting("by is empty; at least one condition, or 'epoch', is needed")
    conditions = tuple(name for name in names if name != EPOCH)
    cells, values = _cells("by", conditions, outputs, trials, task)
    items, _ = _cells("over", tuple(over), outputs, trials, task)
    averaged = items if over else None
    parts = [
        _Part(epoch, *_variances(aligned(trials, epoch).of(states), cells, len(values), averaged))
        for epoch in _epochs(trials, tuple(epochs))
    ]
    groups = _groups(parts, cells, values, EPOCH in names)
    variance = np.stack([group.variance for group in groups], axis=1)
    total = variance.sum(axis=1)
    active = (total > 0) & (total >= LEAST_SHARE * total.max())
    return TaskVariance(
        by=names,
        groups={name: np.array([group.values[name] for group in groups]) for name in names},
        trials=np.array([group.trials for group in groups]),
        variance=variance,
        active=active,
        **_clustered(variance, active, most, seed),
    )


def _cells(
    argument: str, names: tuple[str, ...], outputs: np.ndarray, trials: Trials, task: Task | None
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The combination that each trial is of (-1: of none), and the values of each combination."""
    if not names:
        return np.zeros(len(trials), int), [{}]
    levels = levels_of(argument, names, outputs, trials, task)
    places = np.ndindex(*levels.shape)
    pairs = [list(zip(levels.values.items(), place, strict=True)) for place in places]
    return levels.cells, [{name: values[i] for (name, values), i in each} for each in pairs]


def _epochs(trials: Trials, wanted: tuple[str, ...]) -> tuple[str | None, ...]:
    """Those that count; None: whole trials, where they have no epochs."""
    for name in wanted:
        trials.during(name)  # InvalidSetting for one that is unknown
    if trials.epochs is None:
        return (None,)
    there = tuple(name for name in trials.epoch_names if trials.during(name).any())
    return wanted or there


class _Part(NamedTuple):
    """In an epoch: the sum over times of the variances (combination, unit), how many times."""

    epoch: str | None
    sums: np.ndarray
    times: np.ndarray


def _variances(
    activity: np.ndarray, cells: np.ndarray, count: int, items: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over times of the variance over trials, or over the averages of items, and the times.

    activity: (trial, time, unit), NaN where a trial has no step. (combination, unit) and
    (combination,).
    """
    sums, times = np.zeros((count, activity.shape[-1])), np.zeros(count, int)
    for cell in range(count):
        own = cells == cell
        values = activity[own] if items is None else _averages(activity[own], items[own])
        enough = np.isfinite(values[..., 0]).sum(axis=0) > 1
        if enough.any():
            sums[cell] = np.nanvar(values[:, enough], axis=0).sum(axis=0)
            times[cell] = enough.sum()
    return sums, times


def _averages(activity: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Over the trials of each item at each time, (item, time, unit); NaN where none has a step."""
    found = []
    for item in np.unique(items[items >= 0]):
        own = activity[items == item]
        counts = np.isfinite(own[..., :1]).sum(axis=0)
        found.append(np.nansum(own, axis=0) / np.where(counts > 0, counts, np.nan))
    return np.array(found).reshape(-1, *activity.shape[1:])


class _Group(NamedTuple):
    """What is told apart: its values by name, its trials, its variance (unit,)."""

    values: dict[str, Any]
    trials: int
    variance: np.ndarray


def _groups(
    parts: list[_Part], cells: np.ndarray, values: list[dict[str, Any]], by_epoch: bool
) -> list[_Group]:
    """Each combination, in each epoch or in all together, in which two trials share a time."""
    counts = np.bincount(cells[cells >= 0], minlength=len(values))
    apart = [[part] for part in parts] if by_epoch else [parts]
    found = []
    for cell, known in enumerate(values):
        for together in apart:
            times = sum(part.times[cell] for part in together)
            if not times:
                continue
            mean = np.sum([part.sums[cell] for part in together], axis=0) / times
            named = known | {EPOCH: together[0].epoch or "trial"}
            found.append(_Group(named, int(counts[cell]), mean))
    if not found:
        raise InvalidSetting("no two trials of a group have a step at the same time")
    return found


def _clustered(variance: np.ndarray, active: np.ndarray, most: int, seed: int) -> dict[str, Any]:
    """The clusters of the active units, in the terms of `TaskVariance`."""
    units = variance[active]
    members = np.where(active, 0, -1)
    nothing = np.empty(0)
    if len(units) < LEAST_UNITS or variance.shape[1] < 2:
        count = int(active.any())
        known = {"tried": np.empty(0, int), "silhouettes": nothing, "null_silhouettes": nothing}
        return {"members": members, "count": count, **known, "p": np.nan}
    tried = np.arange(2, min(most, len(units) - 1) + 1)
    silhouettes, tree = _silhouettes(_profiles(units), tried)
    rng = np.random.default_rng(seed)
    nulls = np.array([_silhouettes(each, tried)[0].max() for each in _shuffles(units, rng)])
    p = (1 + (nulls >= silhouettes.max()).sum()) / (1 + SHUFFLES)
    count = int(tried[silhouettes.argmax()]) if p <= LEVEL else 1
    members[active] = by_size(cut(tree, count))
    return {
        "members": members,
        "count": count,
        "tried": tried,
        "silhouettes": silhouettes,
        "null_silhouettes": nulls,
        "p": float(p),
    }


def _profiles(units: np.ndarray) -> np.ndarray:
    """Variances (unit, group) in units of each unit's largest."""
    largest = units.max(axis=1, keepdims=True)
    return units / np.where(largest > 0, largest, 1.0)


def _shuffles(units: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Profiles in which each group's values are shuffled among units.

    Before that each unit is divided by its geometric mean. Were it its largest variance, each unit
    as it is would have one 1 and a shuffled one any number of them: a cluster by the group in which
    units vary most would then be found too often where there is none.
    """
    logarithms = np.log(np.maximum(units, SMALLEST * units.max(axis=1, keepdims=True)))
    logarithms -= logarithms.mean(axis=1, keepdims=True)
    for _ in range(SHUFFLES):
        yield _profiles(np.exp(rng.permuted(logarithms, axis=0)))


def _silhouettes(profiles: np.ndarray, tried: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean silhouette for each number of clusters, and the tree that is cut into them."""
    distances = pdist(profiles)
    tree = linkage(distances, "ward")
    return silhouettes_of(squareform(distances), tree, tried), tree
