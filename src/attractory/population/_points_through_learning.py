"""Fixed points in the course of training: which go on, which are born and lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import a_flag, as_array, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._progress import NetworksProgress
from attractory._result import Result
from attractory.analysis import (
    Fate,
    FixedPoints,
    WeightContinuation,
    fixed_points,
    weight_continuation,
)
from attractory.models import Network
from attractory.population._kept import kept_with
from attractory.population._learned import Learned, progression_of
from attractory.runs import Run
from attractory.runs._results import weights_checksum
from attractory.tasks import Task, Trials, as_task_or_trials

GOES_ON, UNLISTED = "goes on", -1  # as `Fate` has them


@dataclass(frozen=True, repr=False)
class PointsThroughLearning(Result):
    """The fixed points of one network at each kept step, and what becomes of them in between.

    Attributes
    ----------
    steps : array (step,)
        Where in the training.
    net : int
        The network's index in its run.
    points : tuple of FixedPoints
        Those at each step.
    fates : tuple of tuples of Fate
        For each interval, from one step to the next, what becomes of the points.
    """

    steps: np.ndarray
    net: int
    points: tuple[FixedPoints, ...]
    fates: tuple[tuple[Fate, ...], ...]

    @property
    def intervals(self) -> tuple[WeightContinuation, ...]:
        """What becomes of the points from each step to the next."""
        return tuple(
            WeightContinuation(before, after, list(fates))
            for (before, after), fates in zip(pairwise(self.points), self.fates, strict=True)
        )

    @property
    def threads(self) -> tuple[np.ndarray, ...]:
        """For each step the number (point,) of each point's thread.

        Points that go on as one another are of one thread; numbers count from 0 in the order in
        which they first appear.
        """
        found = [np.arange(len(self.points[0]))]
        used = len(self.points[0])
        for points, fates in zip(self.points[1:], self.fates, strict=True):
            own = np.full(len(points), -1)
            for fate in fates:
                if fate.kind == GOES_ON and UNLISTED not in (*fate.before, *fate.after):
                    own[fate.after[0]] = found[-1][fate.before[0]]
            new = np.flatnonzero(own < 0)
            own[new] = used + np.arange(len(new))
            used += len(new)
            found.append(own)
        return tuple(found)

    @property
    def statement(self) -> str:
        """How many points there are at each step, and what is born, lost and unexplained."""
        parts = [f"Fixed points of network {self.net} at {len(self.steps)} steps."]
        for (first, last), interval in zip(pairwise(self.steps), self.intervals, strict=True):
            parts.append(f"Step {first:g} to {last:g}: {interval.statement}")
        return " ".join(parts)

    def summary(self) -> dict[str, Any]:
        """The numbers over all intervals.

        Returns
        -------
        dict
            Its net, steps, points at the first and at the last step, and the sums of what the table
            says of each interval.
        """
        counts = self.table().drop(columns=["step_before", "step_after", "before", "after"])
        return {
            "net": self.net,
            "steps": len(self.steps),
            "first": len(self.points[0]),
            "last": len(self.points[-1]),
            **{str(name): int(value) for name, value in counts.sum().items()},
        }

    def table(self) -> pd.DataFrame:
        """A row for each interval.

        Returns
        -------
        pandas.DataFrame
            With step_before, step_after, and what `WeightContinuation.summary` says.
        """
        rows = [
            {"step_before": first, "step_after": last, **interval.summary()}
            for (first, last), interval in zip(pairwise(self.steps), self.intervals, strict=True)
        ]
        return pd.DataFrame(rows)

    def fates_table(self) -> pd.DataFrame:
        """A row for each fate.

        Returns
        -------
        pandas.DataFrame
            With step_before, step_after, the columns of `WeightContinuation.table`, and step: where
            the birth or loss is on the straight line between the two.
        """
        parts = []
        for (first, last), interval in zip(pairwise(self.steps), self.intervals, strict=True):
            own = interval.table()
            own.insert(0, "step_before", first)
            own.insert(1, "step_after", last)
            own["step"] = first + own["share"] * (last - first)
            parts.append(own)
        return pd.concat(parts, ignore_index=True)


@one_blas_thread
@takes(
    net=whole(),
    inputs=optional(as_array),
    task=optional(as_task_or_trials),
    n_starts=whole(1),
    max_starts=optional(whole(1)),
    seed=whole(),
    progress=a_flag,
)
def points_through_learning(
    networks: Learned,
    net: int = 0,
    inputs: Any = None,
    task: Task | Trials | None = None,
    n_starts: int = 1024,
    max_starts: int | None = None,
    seed: int = 0,
    progress: bool = True,
) -> PointsThroughLearning:
    """Fixed points of one network at each kept step, and their births and losses in between.

    Parameters
    ----------
    networks : Run, or sequence of (step, networks)
        As for `through_learning`; networks of rates or of currents.
    net : int
        Which of the networks.
    inputs : array (input,), optional
        The constant input; 0 when None.
    task : Task or Trials, optional
        Whose trajectories searches start from; the run's own when None.
    n_starts, max_starts, seed : int
        Of each search, as in `attractory.analysis.fixed_points`.
    progress : bool
        Whether to show how far it is, on standard error.

    Returns
    -------
    PointsThroughLearning
        The points at each step, and what becomes of each.

    Raises
    ------
    InvalidSetting
        For a run that kept no checks, for less than two steps, for a network that is not there, and
        for one whose fixed points cannot be followed (see `weight_continuation`).

    Notes
    -----
    Between two steps the weights go along a straight line, which is not the way that training took:
    see `attractory.analysis.weight_continuation`. Where a curve ends in a point, proved, that the
    search at that step did not find, the search is repeated once with it as a start, and the
    intervals beside it are followed anew. The points at each step of a run, and what becomes of
    them up to the next one, are kept in its folder and found again.

    Examples
    --------
    >>> found = at.population.points_through_learning(run, net=0)  # doctest: +SKIP
    >>> found.table(), found.fates_table()  # doctest: +SKIP
    """
    progression = progression_of(networks)
    if net >= len(progression.nets):
        raise InvalidSetting(f"net = {net} is not allowed: 0 to {len(progression.nets) - 1}")
    own = [each[net] for each in progression.networks]
    asked = {
        "inputs": inputs,
        "n_starts": n_starts,
        "seed": seed,
        "task": progression.task if task is None else task,
        "max_starts": max_starts,
    }

    def search(i: int, starts: np.ndarray | None = None) -> FixedPoints:
        return _found(progression.run, own[i], {**asked, "initial_states": starts})

    def follow(i: int) -> WeightContinuation:
        return _followed(progression.run, own[i : i + 2], points[i : i + 2])

    points = []
    with NetworksProgress(len(own), progress) as shown:
        for i in shown.networks():
            shown.say(f"fixed points at step {progression.steps[i]:g}")
            points.append(search(i))
    followed = [follow(i) for i in range(len(points) - 1)]
    missed = _missed(followed)
    for i, states in missed.items():
        points[i] = search(i, np.concatenate([points[i].states, *states]))
    for i in range(len(followed)):
        if i in missed or i + 1 in missed:
            followed[i] = follow(i)
    return PointsThroughLearning(
        steps=progression.steps,
        net=int(progression.nets[net]),
        points=tuple(points),
        fates=tuple(tuple(each.fates) for each in followed),
    )


def _found(run: Run | None, network: Network, asked: dict[str, Any]) -> FixedPoints:
    """The fixed points at one step, by a search with these settings; of a run they are kept."""
    settings = {"weights": weights_checksum(network), **asked}
    return kept_with(
        run, "fixed_points_at_step", settings, (), lambda: fixed_points(network, **asked)
    )


def _followed(
    run: Run | None, networks: Sequence[Network], points: Sequence[FixedPoints]
) -> WeightContinuation:
    """What becomes of the points from one step to the next; of a run it is kept."""
    before, after = points
    asked = {
        "weights": [weights_checksum(network) for network in networks],
        "points": [before.states, after.states],
        "inputs": before.inputs,
    }
    return kept_with(
        run, "weight_continuation", asked, (), lambda: weight_continuation(before, after)
    )


def _missed(followed: Sequence[WeightContinuation]) -> dict[int, list[np.ndarray]]:
    """The states (1, unit) of the points that were met and not found, by the index of the step."""
    missed: dict[int, list[np.ndarray]] = {}
    for i, interval in enumerate(followed):
        for fate in interval.fates:
            sides = [i] * len(fate.before) + [i + 1] * len(fate.after)
            for side, point, state in zip(
                sides, (*fate.before, *fate.after), fate.ends, strict=False
            ):
                if point == UNLISTED:
                    missed.setdefault(side, []).append(state[None])
    return missed
