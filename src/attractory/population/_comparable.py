"""Whether networks can be compared with each other, and in which trials."""

from __future__ import annotations

from collections.abc import Sequence

from attractory._errors import InvalidSetting, shown
from attractory.evaluation._networks import task_of
from attractory.models import check_fit
from attractory.population._distance import Distance
from attractory.population._labelled import network_labels
from attractory.population._members import Member, common_task
from attractory.tasks import Task, Trials

LEAST_TRIALS = 4  # two in each half
Given = tuple[Task | None, Trials | None]


def labels_of(members: Sequence[Member]) -> list[str]:
    """A short name for each: its number, after that of its group where it has one."""
    return network_labels([m.group for m in members], [m.net for m in members])


def trials_for(
    distance: Distance, members: Sequence[Member], task: Task | Trials | None, n: int, seed: int
) -> Given:
    """The task and the trials that all members get; None each where the distance needs none.

    Raises InvalidSetting for a distance that needs a task where there is none, and for networks
    that do not fit it.
    """
    task = common_task(members) if task is None and distance.wants_task else task
    if not distance.wants_task or (task is None and not distance.in_trials):
        return None, None
    if task is None:
        raise InvalidSetting(
            f"task = None: the distance {distance.name!r} is of what networks do in trials; a Task "
            "is needed (it may be left out where a run is given)"
        )
    names = [member.name for member in members]
    check_fit([member.network for member in members], task, names)
    if isinstance(task, Trials) and len(task) < LEAST_TRIALS:
        raise InvalidSetting(f"task = {len(task)} trials; {LEAST_TRIALS} or more are needed")
    if isinstance(task, Trials):
        return Task(dt=task.dt), task
    return task, task_of(members[0].network, task).sample(n, seed)


def other_trials_for(
    distance: Distance, members: Sequence[Member], task: Task | None, n: int, seed: int
) -> Trials | None:
    """Trials of another task, which all members fit; None where none is given.

    Raises InvalidSetting for a distance that cannot be of two tasks.
    """
    if task is None:
        return None
    if "states" not in distance.needs or distance.of_weights:
        raise InvalidSetting(
            f"other_task = {shown(task, 60)}: the distance {distance.name!r} is not of states "
            "alone; only these are compared between tasks"
        )
    check_fit([member.network for member in members], task, [member.name for member in members])
    return task_of(members[0].network, task).sample(n, seed)


def check_members(distance: Distance, members: Sequence[Member]) -> None:
    """InvalidSetting where these networks cannot be compared, whatever they do."""
    if len(members) < 2:
        raise InvalidSetting("networks: there is one to compare; at least two are needed")
    first = members[0]
    for member in members[1:]:
        for size in ("n_inputs", "n_outputs"):
            own, wanted = getattr(member.network, size), getattr(first.network, size)
            if own != wanted and distance.needs != ("spectrum",):
                raise InvalidSetting(
                    f"{member.name} has {size} = {own}, {first.name} {wanted}; they must be equal "
                    "to be compared so (the distance 'spectra' is of any)"
                )
