"""Networks as they are given: alone, in a sequence, in a run, in groups by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attractory._arguments import refusal
from attractory._errors import InvalidSetting, shown
from attractory.models import Network, networks_of
from attractory.runs import Run
from attractory.tasks import Task


@dataclass(frozen=True)
class Member:
    """One network of a population.

    group: the name of its group, "" where there are none. net: its index there, or in its run.
    """

    network: Network
    group: str
    net: int
    run: Run | None

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"{self.group}[{self.net}]" if self.group else f"network {self.net}"


def members_of(networks: Any) -> tuple[list[Member], tuple[str, ...]]:
    """The networks one by one, and the names of those that are left out: they diverged."""
    members: list[Member] = []
    left_out: list[str] = []
    for group, given in _groups(networks).items():
        run = given if isinstance(given, Run) else None
        for net, network in enumerate(networks_of(given, group or "networks")):
            member = Member(network, group, net, run)
            if run is not None and run.status[net]["status"] == "diverged":
                left_out.append(member.name)
            else:
                members.append(member)
    if not members:
        raise InvalidSetting("networks: all of them diverged; there is nothing to measure")
    return members, tuple(left_out)


def common_task(members: Sequence[Member]) -> Task | None:
    """The task that the members' runs have in common; None without one.

    Raises InvalidSetting where they are of different tasks.
    """
    tasks: list[Task] = []
    for member in members:
        task = None if member.run is None else member.run.task
        if task is not None and not task.missing and task not in tasks:
            tasks.append(task)
    if len(tasks) > 1:
        names = " and ".join(shown(task, 60) for task in tasks[:2])
        raise InvalidSetting(
            f"networks: their runs are of different tasks, {names}; say task=..., or names of "
            "measures of weights"
        )
    return tasks[0] if tasks else None


def _groups(networks: Any) -> dict[str, Any]:
    if not isinstance(networks, Mapping):
        return {"": networks}
    if not networks:
        raise InvalidSetting("networks is empty; at least one group is needed")
    for name in networks:
        if not isinstance(name, str) or not name:
            raise InvalidSetting(refusal("networks", name, "a name of each group"))
    return dict(networks)
