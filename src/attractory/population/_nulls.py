"""What distances are held against: one network with itself, untrained and shuffled ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import spearmanr

from attractory.population._distance import Distance
from attractory.population._pairs import distances_of, every_pair, some_pairs
from attractory.population._subject import Subject
from attractory.tasks import Trials

NOISE_ANEW = "same network, noise anew"
TWO_HALVES = "same network, two halves of the trials"
UNTRAINED = "untrained networks"
TO_UNTRAINED = "trained and untrained"
SHUFFLED_UNITS = "shuffled units"
SHUFFLED_WEIGHTS = "shuffled weights"
OTHER_TASK = "another task"
MOST_NETWORKS = 6  # untrained ones, and those that are shuffled or repeated: 15 pairs of them
MOST_PAIRS = 100  # of a null, drawn at random from more: a median needs no more of them
LEAST_PAIRS = 3  # of which a rank correlation says anything


def few_of(count: int) -> set[int]:
    """The indices of up to 6 of so many networks, from all of the groups that they came in."""
    return set(_spread(count, min(count, MOST_NETWORKS)))


def _spread(count: int, number: int) -> list[int]:
    """So many indices from the first to the last."""
    return [int(i) for i in np.linspace(0, count - 1, number).round()]


class Prepared(NamedTuple):
    """One network as the distance takes it: whole, and as the nulls need it.

    halves: in two halves of the trials. again: with its own noise drawn anew. shuffled: units or
    weights. tasks: in the trials of this task and of another one. None where that is not asked for,
    or cannot be had.
    """

    whole: Any
    halves: tuple[Any, Any] | None = None
    again: Any = None
    shuffled: Any = None
    tasks: tuple[Any, Any] | None = None


def prepared(
    distance: Distance,
    subject: Subject,
    few: bool,
    elsewhere: Trials | None,
    rng: np.random.Generator,
) -> Prepared:
    """A network as the distance and its nulls take it.

    few: also what the nulls need of a few networks only. elsewhere: trials of another task.
    """
    made = Prepared(distance.prepared(subject))
    if distance.in_trials:
        made = made._replace(halves=_halves(distance, subject))
    if few:
        made = made._replace(shuffled=_shuffled(distance, subject, rng))
    if few and distance.in_trials and distance.paired:
        made = made._replace(again=distance.prepared(subject.again()))
    if few and elsewhere is not None:
        made = made._replace(tasks=_in_two_tasks(distance, subject, elsewhere))
    return made


def _in_two_tasks(
    distance: Distance, subject: Subject, elsewhere: Trials
) -> tuple[Any, Any] | None:
    """For as many steps as all trials of both tasks have; None where its states cannot be had."""
    there = subject.in_other_trials(elsewhere)
    if distance.problem(there):
        return None
    steps = int(min(each.trials.lengths.min() for each in (subject, there) if each.trials))
    return (
        distance.prepared(subject.first_steps(steps)),
        distance.prepared(there.first_steps(steps)),
    )


def _halves(distance: Distance, subject: Subject) -> tuple[Any, Any]:
    """Every other trial: what changes in the course of a session is in both halves."""
    count = len(subject.states) // 2
    first, second = np.arange(2 * count).reshape(count, 2).T
    return (
        distance.prepared(subject.in_trials(first)),
        distance.prepared(subject.in_trials(second)),
    )


def _shuffled(distance: Distance, subject: Subject, rng: np.random.Generator) -> Any:
    if not distance.of_weights:
        return distance.prepared(subject.with_shuffled_units(rng))
    other = subject.with_shuffled_weights(rng)
    if other is None or distance.problem(other):
        return None
    return distance.prepared(other)


def held_against(
    distance: Distance,
    made: Sequence[Prepared],
    subjects: Sequence[Subject],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """The distances of all nulls, and the reliability, as fields of `Distances`."""
    fresh = list(_untrained(distance, subjects, rng))
    return {
        "nulls": _null_distances(distance, made, fresh, rng),
        "reliability": _reliability(distance, made, rng),
    }


def _untrained(
    distance: Distance, subjects: Sequence[Subject], rng: np.random.Generator
) -> Iterator[Any]:
    """Networks of the same models before any training, as the distance takes them."""
    for i in _spread(len(subjects), MOST_NETWORKS):
        subject = subjects[i]
        network = subject.network
        seed = int(rng.integers(2**31))
        fresh = network.model.build(network.n_inputs, network.n_outputs, seed)
        made = subject.with_network(fresh)
        if not distance.problem(made):
            yield distance.prepared(made)


def _null_distances(
    distance: Distance, made: Sequence[Prepared], fresh: Sequence[Any], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The distances (pair,) of each null; those of which there is none are left out."""
    wholes = [each.whole for each in made]
    found = _of_one_network(distance, made)
    found[UNTRAINED] = distances_of(distance, fresh, fresh, every_pair(len(fresh)))
    across = [(i, j) for i in range(len(made)) for j in range(len(fresh))]
    across = some_pairs(across, MOST_PAIRS, rng)
    found[TO_UNTRAINED] = distances_of(distance, wholes, fresh, across)
    name = SHUFFLED_WEIGHTS if distance.of_weights else SHUFFLED_UNITS
    shuffled = [each.shuffled for each in made]
    found[name] = distances_of(distance, wholes, shuffled, _to_others(wholes, shuffled, rng))
    here, there = ([each.tasks and each.tasks[k] for each in made] for k in (0, 1))
    found[OTHER_TASK] = distances_of(distance, here, there, _to_others(here, there, rng))
    return {name: values for name, values in found.items() if len(values)}


def _to_others(
    first: Sequence[Any], second: Sequence[Any], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Some pairs of one network in `first` and another one in `second`, where they are there."""
    pairs = [
        (i, j)
        for i, one in enumerate(first)
        for j, other in enumerate(second)
        if i != j and one is not None and other is not None
    ]
    return some_pairs(pairs, MOST_PAIRS, rng)


def _of_one_network(distance: Distance, made: Sequence[Prepared]) -> dict[str, np.ndarray]:
    if not distance.in_trials:
        return {}  # exactly 0: nothing is drawn at random
    if distance.paired:
        both = [(each.whole, each.again) for each in made if each.again is not None]
        return {NOISE_ANEW: np.array([distance.function(a, b) for a, b in both], float)}
    halves = [each.halves for each in made if each.halves is not None]
    return {TWO_HALVES: np.array([distance.function(a, b) for a, b in halves], float)}


def _reliability(distance: Distance, made: Sequence[Prepared], rng: np.random.Generator) -> float:
    """Spearman's correlation, over pairs, of their distances in two halves of the trials.

    NaN for less than 3 pairs, and where all distances are the same.
    """
    pairs = some_pairs(every_pair(len(made)), MOST_PAIRS, rng)
    halves = [each.halves for each in made if each.halves is not None]
    if len(pairs) < LEAST_PAIRS or len(halves) < len(made):
        return float("nan")
    ways = [
        distances_of(distance, part, part, pairs)
        for part in ([half[k] for half in halves] for k in (0, 1))
    ]
    if any(np.ptp(each) == 0 for each in ways):
        return float("nan")
    return float(spearmanr(*ways).statistic)
