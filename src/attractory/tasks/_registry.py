"""The tasks by name."""

from __future__ import annotations

from typing import Any, TypeVar

from attractory._errors import InvalidSetting, nearest, shown
from attractory.tasks._boolean import And, ContextBoolean, Not, Or, Xor
from attractory.tasks._decision import ContextDecision, PerceptualDecision
from attractory.tasks._flip_flop import FlipFlop
from attractory.tasks._matching import DualDelayedMatch
from attractory.tasks._neurogym import NeurogymTask
from attractory.tasks._parametric import ParametricWorkingMemory
from attractory.tasks._poisson_flip_flop import PoissonFlipFlop
from attractory.tasks._ring import DelayedResponse
from attractory.tasks._task import Task
from attractory.tasks._timing import SetReset, TimePulse, TriggeredOscillation
from attractory.tasks._yang import YangBattery

AnyTask = TypeVar("AnyTask", bound=Task)

_tasks: dict[str, type[Task]] = {
    task.name: task
    for task in (
        FlipFlop,
        PoissonFlipFlop,
        PerceptualDecision,
        ContextDecision,
        DualDelayedMatch,
        ParametricWorkingMemory,
        DelayedResponse,
        And,
        Or,
        Xor,
        Not,
        ContextBoolean,
        SetReset,
        TriggeredOscillation,
        TimePulse,
        YangBattery,
        NeurogymTask,
    )
}


def names() -> list[str]:
    """The names of all registered tasks."""
    return sorted(_tasks)


def find(name: str) -> type[Task]:
    """The class of a task; InvalidSetting names the nearest one when there is none such."""
    if not isinstance(name, str) or name not in _tasks:
        raise InvalidSetting(
            f"task {shown(name)} is unknown (a task of your own needs attractory.tasks.register "
            f"first); {nearest(name, _tasks)}"
        )
    return _tasks[name]


def get(name: str, **settings: Any) -> Task:
    """A task by name, with settings: `get("flipflop", bits=3)`."""
    return find(name)(**settings)


def register(task: type[AnyTask]) -> type[AnyTask]:
    """Make a user's task known under its `name` (its class name in lower case unless given).

    Returns the class, so that it can stand as a decorator. Registering a class again replaces the
    older version of it; the name of another task is refused with InvalidSetting.
    """
    if not (isinstance(task, type) and issubclass(task, Task)):
        raise InvalidSetting(f"register: {shown(task)} is no subclass of attractory.tasks.Task")
    known = _tasks.get(task.name)
    if known is not None and _origin(known) != _origin(task):
        raise InvalidSetting(f"register: the name {task.name!r} belongs to {_origin(known)}")
    _tasks[task.name] = task
    return task


def _origin(task: type[Task]) -> str:
    return f"{task.__module__}.{task.__qualname__}"
