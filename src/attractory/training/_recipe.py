"""A model and a rule for each task: what a network is trained with when nothing else is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attractory._errors import InvalidSetting, nearest, shown
from attractory.models import GRU, LSTM, Constraints, LowRankRNN, Model, RateRNN
from attractory.rules import BPTT, Rule
from attractory.tasks import (
    FlipFlop,
    ParametricWorkingMemory,
    PoissonFlipFlop,
    Task,
    YangBattery,
)

# whole settings of a rule under a name
PROTOCOLS: dict[str, Callable[[], Rule]] = {
    "near_orthogonal": BPTT.near_orthogonal,
    "paper": BPTT.paper,
}
CELLS: dict[str, type[Model]] = {"rate": RateRNN, "lowrank": LowRankRNN, "gru": GRU, "lstm": LSTM}


@dataclass(frozen=True)
class Recipe:
    """What to train on a task: `at.train(task, recipe.model, recipe.rule)`."""

    model: Model
    rule: Rule


def recipe(task: Task, cell: str = "rate", constraints: Constraints | None = None) -> Recipe:
    """A model and a rule by which one network learns this task, in less than a minute for most.

    cell: "rate", "lowrank", "gru" or "lstm". constraints: of the weights of a rate network; with
    Dale's law its activation is "relu", so that what a unit does has the sign of the unit. All of
    it can be changed: `recipe(task).model.replace(units=200)`. What comes of it for every task
    stands in docs/tasks.md. Raises InvalidSetting for an unknown cell, or for constraints with a
    cell that has none.
    """
    if cell not in CELLS:
        raise InvalidSetting(f"cell = {shown(cell)} is not allowed; {nearest(cell, CELLS)}")
    if constraints is not None and cell != "rate":
        raise InvalidSetting(
            f"constraints are not allowed with cell = {shown(cell)}; allowed: 'rate'"
        )
    settings = _settings(task)
    if cell in ("gru", "lstm"):  # which make a time constant of their own
        settings = {"units": settings["units"], "dt": task.dt}
        settings |= {"tau": task.dt} if cell == "gru" else {}
    if constraints is not None:
        settings |= {"constraints": constraints, "units": max(200, settings["units"])}
        settings |= {"recurrent_init": "normal", "recurrent_gain": 1.0, "bias": True}
        settings |= {"activation": "relu"} if constraints.obeys_dale else {}
    if cell == "lowrank":
        settings |= {"rank": 3, "recurrent_init": "aligned", "recurrent_gain": 1.1}
    model = CELLS[cell](**settings)
    return Recipe(model, rule_for(task, model))


def rule_for(task: Task, model: Model) -> Rule:
    """The rule for a task and a model: `BPTT()` is for the paper's, other networks bear more."""
    constrained = isinstance(model, RateRNN) and model.constraints is not None
    if isinstance(task, FlipFlop) and isinstance(model, RateRNN) and not constrained:
        return BPTT() if model.leak == 1 else BPTT(learning_rate=2.5e-2, steps=650)
    if isinstance(task, PoissonFlipFlop) or constrained:
        return BPTT(learning_rate=1e-2, steps=1000, batch=32)
    if isinstance(task, YangBattery):
        return BPTT(learning_rate=5e-3, steps=5000, batch=64)
    if isinstance(model, LowRankRNN):  # Muon would turn few long vectors as if they were many
        return BPTT(optimizer="adam", learning_rate=1e-2, steps=4000, batch=32)
    # an amount that is held for seconds comes later than what to do with it
    steps = 4000 if isinstance(task, ParametricWorkingMemory) else 1500
    return BPTT(learning_rate=5e-3, steps=steps, batch=32)


def _settings(task: Task) -> dict[str, Any]:
    """Of the rate network; its time constant is 10 steps of 1 ms, or about 100 ms."""
    if isinstance(task, FlipFlop):
        return {"units": 96, "tau": 10 * task.dt, "dt": task.dt}
    if isinstance(task, PoissonFlipFlop):  # which asks for an answer at once
        return {"units": 96, "tau": task.dt, "dt": task.dt}
    steps = 10 if task.dt < 10 else max(1, round(100 / task.dt))
    settings: dict[str, Any] = {"tau": steps * task.dt, "dt": task.dt, "bias": True}
    if isinstance(task, YangBattery):
        return {**settings, "units": 256, "activation": "relu"}
    # a little beyond the edge of chaos: activity at the start outlasts the longest delays
    return {**settings, "units": 96, "recurrent_gain": 1.5}
