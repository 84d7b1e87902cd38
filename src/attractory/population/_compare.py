"""Many networks, two at a time: their distances, beside what these are without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import squareform

from attractory._arguments import a_flag, a_name, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting
from attractory._progress import NetworksProgress
from attractory.models import Network
from attractory.population._comparable import (
    LEAST_TRIALS,
    Given,
    check_members,
    labels_of,
    other_trials_for,
    trials_for,
)
from attractory.population._distance import Distance, find_distance
from attractory.population._distances import Distances
from attractory.population._kept import kept_together
from attractory.population._members import Member, members_of
from attractory.population._nulls import Prepared, few_of, held_against, prepared
from attractory.population._pairs import distances_of, every_pair
from attractory.population._subject import Subject
from attractory.runs import Run
from attractory.tasks import Task, Trials, as_task, as_task_or_trials

DIVERGED = "diverged in training"
Networks = Network | Sequence[Network] | Run


class Ways(NamedTuple):
    """How networks are prepared: for nulls, also in other trials, by which random numbers."""

    nulls: bool
    elsewhere: Trials | None
    rng: np.random.Generator


@one_blas_thread
@takes(
    metric=a_name,
    task=optional(as_task_or_trials),
    trials=whole(LEAST_TRIALS),
    seed=whole(),
    nulls=a_flag,
    other_task=optional(as_task),
    progress=a_flag,
)
def compare(
    networks: Networks | Mapping[str, Networks],
    metric: str = "procrustes",
    task: Task | Trials | None = None,
    trials: int = 64,
    seed: int = 0,
    nulls: bool = True,
    other_task: Task | None = None,
    progress: bool = True,
) -> Distances:
    """How far apart networks are, each two of them, by one distance.

    Parameters
    ----------
    networks : sequence of Network, Run, or dict of these by name
        At least two networks. The names of a dict are their groups.
    metric : str
        The name of a distance (`distance_names`): "procrustes", "stochastic_shape", "cka",
        "cka_debiased", "rsa", "dsa", "dmd_spectra", "spectra", "fixed_points", "behaviour",
        "weights", or one of your own.
    task : Task or Trials, optional
        What all networks are given. A task draws trials from the seed; None: the run's own.
    trials : int
        How many are drawn, 4 or more.
    seed : int
        Of the trials, of the networks' own noise, of the search for fixed points, and of the nulls.
    nulls : bool
        Whether distances that mean nothing are computed, too (see Notes).
    other_task : Task, optional
        Another task with the same inputs and outputs, for a further null.
    progress : bool
        Whether it is shown how far it is.

    Returns
    -------
    Distances
        The matrix, named; beside it the nulls.

    Raises
    ------
    InvalidSetting
        For an unknown distance, fewer than two networks, networks that do not fit the trials or
        each other, and where trials are needed and there is no task.

    Notes
    -----
    Each network is simulated once, with noise of its own where its model has some, and prepared
    once; pairs are then cheap. Networks that diverged in
    training, whose states in the trials are not finite or never change, or whose fixed points
    are a continuum where these are compared, are left out; `Distances.left_out` says why.
    Distances of runs are kept in the folder of the first one, and found again.

    Nulls are distances to hold the networks' own against, each of up to 100 pairs:

    - the same network with itself: in the same trials, its own noise drawn anew (0 of a network
      without noise); of distances that do not compare trial by trial, in two halves of the trials;
    - untrained networks: two of the same models with fresh initial weights;
    - trained and untrained: one of each;
    - shuffled: one network as it is, the other with each unit in other trials, the time courses as
      they were; of distances between weights, with its recurrent weights in random places;
    - another task, where one is given: one network in the trials of this task, the other in those
      of `other_task`, one trial after the other, for as many steps as all of them have.

    Examples
    --------
    >>> distances = at.population.compare(run, metric="procrustes")  # doctest: +SKIP
    >>> print(distances.statement)  # doctest: +SKIP
    """
    distance: Distance = find_distance(metric)
    members, diverged = members_of(networks)
    check_members(distance, members)
    given = trials_for(distance, members, task, trials, seed)
    asked = {
        "metric": distance.name,
        "task": given[0] if isinstance(task, Task) or task is None else given[1],
        "trials": None if given[1] is None else len(given[1]),
        "seed": seed,
        "nulls": nulls,
        "other_task": other_task,
        "diverged": diverged,
    }

    def compute() -> Distances:
        count = trials if given[1] is None else len(given[1])
        elsewhere = other_trials_for(distance, members, other_task, count, seed)
        ways = Ways(nulls, elsewhere, np.random.default_rng(seed))
        subjects = _subjects(members, given, seed)
        return _compared(distance, members, diverged, subjects, ways, progress)

    return kept_together(members, "distances", asked, [distance.function], compute)


def _subjects(members: Sequence[Member], given: Given, seed: int) -> list[Subject]:
    return [
        Subject(member.network, *given, _seed_of(i, seed), seed, member.run, member.net)
        for i, member in enumerate(members)
    ]


def _compared(
    distance: Distance,
    members: Sequence[Member],
    diverged: Sequence[str],
    subjects: Sequence[Subject],
    ways: Ways,
    progress: bool,
) -> Distances:
    """The distances of each two that can be compared; InvalidSetting where these are fewer."""
    labels = labels_of(members)
    made, unfit = _all_prepared(distance, subjects, ways, progress)
    left_out = dict.fromkeys(diverged, DIVERGED) | {
        members[i].name: why for i, why in unfit.items()
    }
    if len(made) < 2:
        raise InvalidSetting(
            "networks: fewer than two can be compared"
            + "".join(f"; {name}: {why}" for name, why in left_out.items())
        )
    held: dict[str, Any] = {"nulls": {}, "reliability": float("nan")}
    if ways.nulls:
        own = [subjects[i] for i in made]
        held = held_against(distance, list(made.values()), own, ways.rng)
    wholes = [each.whole for each in made.values()]
    between = distances_of(distance, wholes, wholes, every_pair(len(wholes)))
    return Distances(
        metric=distance.name,
        unit=distance.unit,
        source=distance.source,
        invariances=distance.invariances,
        is_metric=distance.is_metric,
        matrix=squareform(between),
        labels=tuple(labels[i] for i in made),
        groups=tuple(members[i].group for i in made),
        left_out=left_out,
        **held,
    )


def _seed_of(net: int, seed: int) -> int:
    """Of a network's own noise: with the same one, two networks would look alike for its sake."""
    return int(np.random.default_rng([seed, net]).integers(2**31))


def _all_prepared(
    distance: Distance,
    subjects: Sequence[Subject],
    ways: Ways,
    progress: bool,
) -> tuple[dict[int, Prepared], dict[int, str]]:
    """Those that can be compared, and why others cannot, by their index."""
    made: dict[int, Prepared] = {}
    unfit: dict[int, str] = {}
    few = few_of(len(subjects))
    with NetworksProgress(len(subjects), progress) as shown:
        for net in shown.networks():
            shown.say(f"for {distance.name}")
            subject = replace(subjects[net])  # what it computes is dropped with it
            why = distance.problem(subject)
            if why:
                unfit[net] = why
            elif not ways.nulls:
                made[net] = Prepared(distance.prepared(subject))
            else:
                made[net] = prepared(distance, subject, net in few, ways.elsewhere, ways.rng)
    return made, unfit
