"""The networks of a comparison: their names, and the task that all of them meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attractory._errors import InvalidSetting
from attractory.evaluation._networks import Networks, check_fit, networks_of, task_of
from attractory.models import Network
from attractory.tasks import Task, Trials

Populations = Networks | Mapping[str, Networks]


class Member(NamedTuple):
    """A network of a comparison.

    label: as tables and figures name it. group: what it was given under; "". problem: why it is
    left out, in words; "" where it is not.
    """

    label: str
    group: str
    network: Network
    problem: str


def members_of(networks: Populations) -> list[Member]:
    """All networks that were given, those of groups one group after the other."""
    if not isinstance(networks, Mapping):
        return _of_one("", networks)
    if not networks:
        raise InvalidSetting("networks is empty; at least one network is needed")
    return [each for name, held in networks.items() for each in _of_one(str(name), held)]


def _of_one(group: str, held: Any) -> list[Member]:
    name = f"networks[{group!r}]" if group else "networks"
    found = networks_of(held, name)
    rows = getattr(held, "status", [{}] * len(found))
    diverged = ["diverged in training" * (row.get("status") == "diverged") for row in rows]
    if group and len(found) == 1:
        return [Member(group, group, found[0], diverged[0])]
    begin = f"{group} " if group else ""
    return [
        Member(f"{begin}{net}", group, network, diverged[net]) for net, network in enumerate(found)
    ]


def task_in(networks: Populations, task: Task | Trials | None) -> Task | Trials | None:
    """What is given; else the task of the run, or of all runs; None where there is none."""
    if task is not None:
        return task
    holders = list(networks.values()) if isinstance(networks, Mapping) else [networks]
    tasks = [held.task for held in holders if hasattr(held, "task")]
    if any(each != tasks[0] for each in tasks[1:]):
        raise InvalidSetting(
            "task = None: the runs are of different tasks; name the one whose trials all get"
        )
    return tasks[0] if tasks else None


def trials_for(
    members: Sequence[Member], metric: str, task: Task | Trials | None, n: int, seed: int
) -> tuple[Task, Trials]:
    """The task and its trials, which all members fit; InvalidSetting where there is no task."""
    if task is None:
        raise InvalidSetting(
            f"task = None: the distance {metric!r} is of what networks do in trials; a Task is "
            "needed (it may be left out where a run is given)"
        )
    check_fit([member.network for member in members], task)
    if isinstance(task, Trials):
        return Task(dt=task.dt), task
    return task, task_of(members[0].network, task).sample(n, seed)


def check_channels(members: Sequence[Member]) -> None:
    """InvalidSetting for networks of different numbers of inputs or outputs."""
    first = members[0]
    for member in members[1:]:
        for size in ("n_inputs", "n_outputs"):
            own, wanted = getattr(member.network, size), getattr(first.network, size)
            if own != wanted:
                raise InvalidSetting(
                    f"network {member.label} has {size} = {own}, network {first.label} {wanted}; "
                    "they must be equal to be compared so (the distance 'spectra' is of any)"
                )
