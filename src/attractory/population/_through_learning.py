"""Networks measured in the course of their training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attractory._arguments import a_flag, a_name, names_of, optional, takes, whole
from attractory._cores import one_blas_thread
from attractory._progress import NetworksProgress
from attractory.models import Network
from attractory.population._comparable import LEAST_TRIALS, Given, trials_for
from attractory.population._distance import Distance, find_distance
from attractory.population._kept import kept_with
from attractory.population._learned import Learned, Progression, progression_of
from attractory.population._learning import Learning
from attractory.population._measure import find_measure, measure_names
from attractory.population._measures import Measures
from attractory.population._measuring import measure
from attractory.population._members import members_of
from attractory.population._subject import Subject
from attractory.runs import Run
from attractory.runs._results import weights_checksum
from attractory.tasks import Task, Trials, as_task_or_trials

GivenTo = tuple[Task | Trials | None, int, int]  # all networks: of a task so many trials, a seed
MOST_TRIALS = 64  # as `compare` takes, unless told: states are compared one by one


@one_blas_thread
@takes(
    measures=optional(names_of),
    task=optional(as_task_or_trials),
    metric=optional(a_name),
    trials=whole(LEAST_TRIALS),
    seed=whole(),
    progress=a_flag,
)
def through_learning(
    networks: Learned,
    measures: Sequence[str] | str | None = None,
    task: Task | Trials | None = None,
    metric: str | None = None,
    trials: int = 512,
    seed: int = 0,
    progress: bool = True,
) -> Learning:
    """The same measures of the same networks at each kept step of their training.

    Parameters
    ----------
    networks : Run, or sequence of (step, networks)
        A run whose rule had `keep_checks=True`, or at each step, a number that rises (an update, an
        epoch), the network or networks as they were then.
    measures : str or sequence of str, optional
        Their names, as in `measure`; None: all that need no fixed points and no history and for
        which all is there.
    task : Task or Trials, optional
        What all networks are given; the run's own when None.
    metric : str, optional
        The name of a distance (`distance_names`): how far each network is from itself at the last
        step. None: no distance.
    trials : int
        Number of trials, the same at all steps; distances are of the first 64 or fewer.
    seed : int
        Of the trials, of searches, and of the networks' own noise, which is the same at all steps.
    progress : bool
        Whether to show how far it is, on standard error.

    Returns
    -------
    Learning
        The measures by step and network.

    Raises
    ------
    InvalidSetting
        For a run that kept no checks, for less than two steps, for an unknown measure or distance,
        and where a task is needed and there is none.

    Notes
    -----
    What is computed of a run is kept in its folder, a step at a time, and found again, but for what
    a user's own measures and distances give.

    Examples
    --------
    >>> learning = at.population.through_learning(run, ["accuracy", "n_outside"])  # doctest: +SKIP
    >>> learning.reached("accuracy", 0.99), learning.table()  # doctest: +SKIP
    """
    progression = progression_of(networks)
    task = progression.task if task is None else task
    distance: Distance | None = None if metric is None else find_distance(metric)
    every = []
    with NetworksProgress(len(progression.steps), progress) as shown:
        for at in shown.networks():
            shown.say(f"measured at step {progression.steps[at]:g}")
            every.append(_measured(progression, at, measures, (task, trials, seed)))
    first = every[0]
    return Learning(
        steps=progression.steps,
        names=first.names,
        values=np.array([each.values for each in every]),
        net=progression.nets,
        units=first.units,
        larger=first.larger,
        reasons=_reasons(every),
        to_last=_to_last(progression, distance, task, trials, seed),
        metric="" if distance is None else distance.name,
        metric_unit="" if distance is None else distance.unit,
        left_out=progression.left_out,
        trials=first.trials,
        seed=seed,
    )


def _measured(
    progression: Progression, at: int, measures: Sequence[str] | None, given: GivenTo
) -> Measures:
    """The measures at one step; of a run they are kept, a step at a time."""
    networks = progression.networks[at]
    names = tuple(measures or measure_names())
    functions = [find_measure(name.partition("@")[0]).function for name in names]
    asked = {"names": names, "weights": [weights_checksum(net) for net in networks], "given": given}
    return kept_with(
        progression.run, "measures_at_step", asked, functions,
        lambda: measure(networks, measures, *given, progress=False),
    )  # fmt: skip


def _reasons(every: Sequence[Measures]) -> dict[str, str]:
    """Why a measure somewhere has no number, the first time."""
    reasons: dict[str, str] = {}
    for each in every:
        for name, by_row in each.reasons.items():
            reasons.setdefault(name, next(iter(by_row.values())))
    return reasons


def _to_last(
    progression: Progression,
    distance: Distance | None,
    task: Task | Trials | None,
    trials: int,
    seed: int,
) -> np.ndarray:
    """The distance of each network from itself at the last step (step, network)."""
    if distance is None:
        return np.full((len(progression.steps), len(progression.nets)), np.nan)
    members, _ = members_of(progression.networks[-1])
    given = trials_for(distance, members, task, min(trials, MOST_TRIALS), seed)
    course = zip(*progression.networks, strict=True)
    return np.stack([_of_one(progression.run, own, distance, given, seed) for own in course], 1)


def _of_one(
    run: Run | None, course: Sequence[Network], distance: Distance, given: Given, seed: int
) -> np.ndarray:
    """The distances (step,) of one network from itself at the last step; of a run they are kept."""

    def compute() -> np.ndarray:
        end = _prepared(distance, Subject(course[-1], *given, seed, seed))
        found = np.full(len(course), np.nan)
        for at, network in enumerate(course):  # one after the other: each holds its states
            here = _prepared(distance, Subject(network, *given, seed, seed))
            if here is not None and end is not None:
                found[at] = distance.function(here, end)
        return found

    weights = [weights_checksum(network) for network in course]
    asked = {"metric": distance.name, "weights": weights, "given": given, "seed": seed}
    return kept_with(run, "distances_to_last_step", asked, [distance.function], compute)


def _prepared(distance: Distance, subject: Subject) -> Any:
    """A network as the distance takes it; None where it cannot be compared."""
    return None if distance.problem(subject) else distance.prepared(subject)
