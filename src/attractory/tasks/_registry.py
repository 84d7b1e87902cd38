"""The tasks by name."""

from __future__ import annotations

from typing import Any

from attractory._registry import Registry
from attractory._stored import stored_by_name
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

_registry: Registry[Task] = Registry(
    "task",
    Task,
    "attractory.tasks",
    name_of=lambda task: task.name,
    known=(
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
    ),
)
stored_by_name("task", Task, lambda kind: kind.name, _registry.find)
names, find, register = _registry.names, _registry.find, _registry.register


def get(name: str, **settings: Any) -> Task:
    """A task by name, with settings: `get("flipflop", bits=3)`."""
    return find(name)(**settings)
