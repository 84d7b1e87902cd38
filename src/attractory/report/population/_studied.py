"""Many networks measured and compared in one go, for their tables and their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from attractory._arguments import a_flag, a_name, names_of, optional, takes, whole
from attractory._errors import InvalidSetting, nearest, shown
from attractory.models import Network
from attractory.population import (
    Battery,
    Clusters,
    Distance,
    Distances,
    GroupDifferences,
    Learning,
    Measures,
    compare,
    find_distance,
    find_measure,
    measure,
    measure_names,
    through_learning,
)
from attractory.population import battery as try_on_axes
from attractory.population._comparable import check_members, labels_of
from attractory.population._members import Member, members_of
from attractory.report.population._portraits import portraits
from attractory.report.population._study import PopulationStudy
from attractory.runs import Run
from attractory.tasks import Task, as_task

GROUPINGS = ("run", "rule", "units")
PAIRED_TRIALS = 64  # at most, for distances: their time grows with the states that are compared
BATTERY_TRIALS = 256  # at most: each value of each axis is another simulation of all networks


def _grouping(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in GROUPINGS:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed; {nearest(value, GROUPINGS)}")
    return value


@takes(
    metric=a_name, by=_grouping, names=optional(names_of), task=optional(as_task),
    trials=whole(4), seed=whole(), progress=a_flag, battery=a_flag, learning=a_flag,
)  # fmt: skip
def population_study(
    networks: Network | Sequence[Network] | Run | Mapping[str, Any],
    metric: str = "procrustes",
    by: str = "run",
    names: Sequence[str] | str | None = None,
    task: Task | None = None,
    trials: int = 512,
    seed: int = 0,
    progress: bool = True,
    battery: bool = False,
    learning: bool = False,
) -> PopulationStudy:
    """Measure many networks, compare each two of them, and groups of them.

    Parameters
    ----------
    networks : Run, sequence of Network, or dict of these by name
        At least two networks; diverged ones of a run are left out.
    metric : str
        The distance (`at.population.distance_names`).
    by : str
        What the groups are: "run" (the names of the dict), "rule" (that trained them) or "units"
        (how many they have).
    names : str or sequence of str, optional
        The measures; None: all that need no fixed points and for which all is there.
    task : Task, optional
        What the networks are given; None: the task that their runs have in common.
    trials : int
        Number of trials for the measures; distances are of at most 64.
    seed : int
        Of trials, noise, searches, nulls and permutations.
    progress : bool
        Whether to show how far it is, on standard error.
    battery : bool
        Whether to try how robust the networks are, too (`at.population.battery`, with its usual
        axes, in at most 256 of the trials).
    learning : bool
        Whether to measure the runs that kept checks at each of these, too
        (`at.population.through_learning`, with the same distance).

    Returns
    -------
    PopulationStudy
        The results.

    Raises
    ------
    InvalidSetting
        For fewer than two networks, runs of different tasks where the distance, the measures or the
        battery need one, an unknown distance, measure or grouping, and `learning` where no run kept
        checks.

    Notes
    -----
    Measures, distances and the curves of a battery are kept in the folder of the first run, what is
    measured through learning in that of its own run; none is computed again.
    """
    members, _ = members_of(networks)
    distance: Distance = find_distance(metric)
    check_members(distance, members)
    task, names = _common(members, distance, task, names)
    measures = measure(networks, names, task, trials, seed, progress)
    paired = min(trials, PAIRED_TRIALS)
    distances = compare(networks, metric, task, paired, seed, progress=progress)
    measures, distances = _grouped(members, by, measures, distances)
    runs = {member.group: member.run for member in members if member.run is not None}
    differences, clusters, omitted = _statistics(measures, distances, by, seed)
    learned: dict[str, Learning] = {}
    unlearned: list[str] = []
    if learning:
        learned, unlearned = _learning(runs, names, metric, task, trials, seed, progress)
    return PopulationStudy(
        by=by,
        labels=tuple(labels_of(members)),
        runs=runs,
        measures=measures,
        differences=differences,
        distances=distances,
        map=distances.map(seed=seed),
        clusters=clusters,
        portraits=tuple(portraits(members, task, seed)),
        omitted=(*omitted, *unlearned),
        battery=_battery(networks, members, by, task, trials, seed, progress) if battery else None,
        learning=learned,
    )


def _battery(
    networks: Any,
    members: Sequence[Member],
    by: str,
    task: Task | None,
    trials: int,
    seed: int,
    progress: bool,
) -> Battery:
    """How robust the networks are, in the groups that are asked for."""
    trials = min(trials, BATTERY_TRIALS)
    tried = try_on_axes(networks, task, trials=trials, seed=seed, progress=progress)
    if by == "run":
        return tried
    return replace(tried, group=tuple(_group_of(member, by) for member in members))


def _learning(
    runs: Mapping[str, Run],
    names: Sequence[str] | None,
    metric: str,
    task: Task | None,
    trials: int,
    seed: int,
    progress: bool,
) -> tuple[dict[str, Learning], list[str]]:
    """The runs through learning, by name, and why others are not."""
    made: dict[str, Learning] = {}
    omitted = []
    for name, run in runs.items():
        try:
            run.checks()
        except InvalidSetting as reason:
            omitted.append(f"Nothing through learning of {name or 'the run'}: {reason}.")
        else:
            made[name] = through_learning(
                run, _without_history(names), task, metric, trials, seed, progress
            )
    if not made:
        why = omitted[0] if omitted else "there is no run"
        raise InvalidSetting(f"learning = True is not allowed: {why}")
    return made, omitted


def _without_history(names: Sequence[str] | None) -> Sequence[str] | None:
    """The measures that networks at a step of their training have; None: all of them."""
    if names is None:
        return None
    known = [n for n in names if find_measure(n.partition("@")[0]).needs != "history"]
    return known or None


def _common(
    members: Sequence[Member],
    distance: Distance,
    task: Task | None,
    names: Sequence[str] | None,
) -> tuple[Task | None, Sequence[str] | None]:
    """The task of all, and the measures; of networks of different tasks those of weights alone."""
    tasks: dict[str, Task] = {}
    for member in members:
        known = None if member.run is None else member.run.task
        if known is not None and not known.missing and known not in tasks.values():
            tasks[member.group] = known
    if task is not None or len(tasks) < 2:
        return task or next(iter(tasks.values()), None), names
    of_weights = [name for name in measure_names() if find_measure(name).needs == "weights"]
    asked = of_weights if names is None else names
    if distance.wants_task or not set(asked) <= set(of_weights):
        words = [f"{name} is of {shown(each, 80)}" for name, each in list(tasks.items())[:2]]
        raise InvalidSetting(
            f"networks: {', '.join(words)}; networks of one task can be compared so (of any task: "
            "metric 'spectra', and measures of weights)"
        )
    return None, asked


def _grouped(
    members: Sequence[Member], by: str, measures: Measures, distances: Distances
) -> tuple[Measures, Distances]:
    """The same numbers, with other groups where these are asked for."""
    if by == "run":
        return measures, distances
    groups = [_group_of(member, by) for member in members]
    compared = [g for g, m in zip(groups, members, strict=True) if m.name not in distances.left_out]
    return replace(measures, group=tuple(groups)), replace(distances, groups=tuple(compared))


def _group_of(member: Member, by: str) -> str:
    if by == "units":
        return f"{member.network.units} units"
    rule = None if member.run is None else member.run.rule
    return "no rule" if rule is None else type(rule).__name__


def _statistics(
    measures: Measures, distances: Distances, by: str, seed: int
) -> tuple[GroupDifferences | None, Clusters | None, tuple[str, ...]]:
    """What there is of group differences and clusters, and why not where there is none."""
    differences, clusters, omitted = None, None, []
    if len(measures.groups) < 2:
        what = f"they are of one {by}" if by == "run" else f"they have the same {by}"
        omitted.append(f"Groups of networks are not compared: {what}.")
    else:
        try:
            differences = measures.compare(seed=seed)
        except InvalidSetting as reason:
            omitted.append(f"Groups of networks are not compared: {reason}.")
    try:
        clusters = distances.clusters(seed=seed)
    except InvalidSetting as reason:
        omitted.append(f"No clusters are looked for: {reason}.")
    return differences, clusters, tuple(omitted)
