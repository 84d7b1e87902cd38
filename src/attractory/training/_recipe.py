"""A model and a rule for each task: what a network is trained with when nothing else is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attractory import models, rules
from attractory._arguments import a_name, instance_of, optional, takes
from attractory._errors import InvalidSetting, nearest, shown
from attractory._shown import Shown
from attractory.models import (
    GRU,
    LSTM,
    Constraints,
    LowRankRNN,
    Model,
    RateRNN,
    in_steps_of,
)
from attractory.rules import (
    BPTT,
    FORCE,
    RFLO,
    EProp,
    FullFORCE,
    NodePerturbation,
    Reservoir,
    Rule,
    WeightPerturbation,
)
from attractory.tasks import NetworkFacts, Task, as_task, usual_network

# whole settings of a rule under a name, and rules as the commands call them
PROTOCOLS: dict[str, Callable[..., Rule]] = {
    "bptt": BPTT,
    "near_orthogonal": BPTT.near_orthogonal,
    "paper": BPTT.paper,
    "force": FORCE,
    "full_force": FullFORCE,
    "reservoir": Reservoir,
    "rflo": RFLO,
    "eprop": EProp,
    "node_perturbation": NodePerturbation,
    "weight_perturbation": WeightPerturbation,
}
CELLS: dict[str, type[Model]] = {"rate": RateRNN, "lowrank": LowRankRNN, "gru": GRU, "lstm": LSTM}
GATED = ("gru", "lstm")


@dataclass(frozen=True, repr=False)
class Recipe(Shown):
    """What to train on a task: `at.train(task, recipe.model, recipe.rule)`.

    Attributes
    ----------
    model : Model
        The networks.
    rule : Rule
        How they learn.
    """

    model: Model
    rule: Rule


@takes(task=as_task, cell=optional(a_name), constraints=optional(instance_of(Constraints)))
def recipe(task: Task, cell: str | None = None, constraints: Constraints | None = None) -> Recipe:
    """A model and a rule by which one network learns this task, in less than a minute for most.

    What they are the task says (`Task.network_settings`, `Task.rule_settings`); here they are made.

    Parameters
    ----------
    task : Task
    cell : str, optional
        "rate", "lowrank", "gru" or "lstm"; None: the task's own, "rate" for all of this package.
    constraints : Constraints, optional
        Of the weights of a rate network; with Dale's law its activation is "relu", so that what a
        unit does has the sign of the unit.

    Returns
    -------
    Recipe
        All of it can be changed: `recipe(task).model.replace(units=200)`. What comes of it for
        every task stands in docs/tasks.md.

    Raises
    ------
    InvalidSetting
        For an unknown cell, or for constraints with a cell that has none.
    """
    settings = dict(task.network_settings())
    own = cell_of(settings.pop("name", "rate"))
    name = own if cell is None else cell
    if cell is not None and cell not in CELLS:
        raise InvalidSetting(f"cell = {shown(cell)} is not allowed; {nearest(cell, CELLS)}")
    if constraints is not None and name != "rate":
        raise InvalidSetting(
            f"constraints are not allowed with cell = {shown(name)}; allowed: 'rate'"
        )
    if name != own:
        settings = _for_cell(name, settings if own == "rate" else usual_network(task.dt), task.dt)
    if constraints is not None:
        settings |= _constrained(constraints, settings)
    model = in_steps_of(_found(name, task)(**settings), task.dt, task.name)
    return Recipe(model, rule_for(task, model))


@takes(task=as_task, model=instance_of(Model))
def rule_for(task: Task, model: Model) -> Rule:
    """The rule for a task and a model, as the task's recipe says it.

    Parameters
    ----------
    task : Task
        What is learned.
    model : Model
        What learns it.

    Returns
    -------
    Rule
        The rule.
    """
    settings = dict(task.rule_settings(network_facts(model)))
    name = settings.pop("name", BPTT.__name__)
    return rules.find(name)(**settings)


@takes(name=a_name)
def cell_of(name: str) -> str:
    """The cell's name where this is the name of its model ("GRU": "gru"); else the name itself.

    Parameters
    ----------
    name : str
        Name of a cell or model.

    Returns
    -------
    str
        The name of the cell.
    """
    return {model.__name__: cell for cell, model in CELLS.items()}.get(name, name)


def network_facts(model: Model) -> NetworkFacts:
    """What a task may know of a model."""
    return NetworkFacts(
        rates=model.form == "rates",
        leak=model.leak,
        constrained=model.weight_constraints is not None,
        rank=model.recurrent_rank,
        feedback=model.takes_feedback,
    )


def _found(name: str, task: Task) -> type[Model]:
    """The model that a task's recipe names: a cell, or the name of a model."""
    if name in CELLS:
        return CELLS[name]
    if name not in models.names():
        raise InvalidSetting(
            f"{task.name}: network_settings() says name = {shown(name)}; "
            + nearest(name, {*CELLS, *models.names()})
        )
    return models.find(name)


def _for_cell(name: str, settings: dict[str, Any], dt: float) -> dict[str, Any]:
    """The settings of a task's network, for a cell that is not its own."""
    if name in GATED:  # which make a time constant of their own
        units = {key: settings[key] for key in ("units",) if key in settings}
        return {**units, "dt": dt} | ({"tau": dt} if name == "gru" else {})
    if name == "lowrank":
        return settings | {"rank": 3, "recurrent_init": "aligned", "recurrent_gain": 1.1}
    return settings


def _constrained(constraints: Constraints, settings: dict[str, Any]) -> dict[str, Any]:
    """What a network under constraints has instead of the free one's settings."""
    return {
        "constraints": constraints,
        "units": max(200, settings.get("units", 0)),
        "recurrent_init": "normal",
        "recurrent_gain": 1.0,
        "bias": True,
        **({"activation": "relu"} if constraints.obeys_dale else {}),
    }
