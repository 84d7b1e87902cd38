"""Networks in, anything goes: one network, several, or what holds them together with a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attractory._errors import InvalidSetting, shown
from attractory.models import Network, check_fit, networks_of
from attractory.tasks import Task


class Together(Protocol):
    """Networks and the task that they are for: a run, or responses."""

    @property
    def networks(self) -> Sequence[Network]: ...

    @property
    def task(self) -> Any: ...


__all__ = ["Networks", "Together", "check_fit", "check_net", "networks_of", "task_of"]

Networks = Network | Sequence[Network] | Together


def task_of(networks: Networks, task: Task | None) -> Task:
    """The task that is meant: that of the run, or of the responses, where none is given."""
    task = getattr(networks, "task", None) if task is None else task
    if not isinstance(task, Task):
        raise InvalidSetting(
            f"task = {shown(task)} is not allowed: a Task is needed "
            "(it may be left out where a run is given)"
        )
    if task.missing:
        raise InvalidSetting(task.missing)
    return task


def check_net(net: int, nets: int) -> None:
    """InvalidSetting for the index of a network that is not there."""
    if not 0 <= net < nets:
        raise InvalidSetting(f"net = {net} is not allowed: 0 to {nets - 1}")
