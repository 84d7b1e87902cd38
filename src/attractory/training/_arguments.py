"""What may be trained, checked before anything is computed or claimed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attractory._arguments import refusal
from attractory._errors import InvalidSetting, shown, whole_number
from attractory.models import Model, in_steps_of
from attractory.rules import Rule
from attractory.tasks import Task, random_key
from attractory.training._curriculum import Curriculum, Stage
from attractory.training._memory import check_training_memory
from attractory.training._recipe import recipe, rule_for
from attractory.training._start import Start

OnCheck = Callable[[int, np.ndarray], None]


def a_function(name: str, value: Any) -> Any:
    """What can be called, as the decorator `takes` has its arguments checked."""
    if not callable(value):
        raise InvalidSetting(refusal(name, value, "a function"))
    return value


def checked_arguments(
    task: Any, model: Any, rule: Any, nets: Any, seed: Any, start: Any = None
) -> tuple[Model, Rule, int, int, Start]:
    """What may be trained, checked; the task's recipe where something is None.

    Parameters
    ----------
    task : Task
        What the networks learn.
    model : Model or None
        What they are.
    rule : Rule or None
        How they learn.
    nets : int
        Number of networks.
    seed : int
        What all random numbers follow from.
    start : Run, Network, sequence of Network or None
        What is begun with.

    Returns
    -------
    model : Model
        With the task's dt, as the rule trains it.
    rule : Rule
        The rule.
    nets, seed : int
        As plain numbers.
    begun : Start
        The weights that are begun with, if any.

    Raises
    ------
    InvalidSetting
        For what cannot be trained, or does not fit into memory.
    """
    _check_kind("task", task, Task)
    whole_number("nets", nets)
    begun = Start.of(start, int(nets))
    nets = begun.nets or int(nets)
    if model is None:
        model = _usual_model(task, rule) if begun.model is None else begun.model
    _check_kind("model", model, Model)
    model = in_steps_of(model, task.dt, task.name)
    rule = rule_for(task, model) if rule is None else rule
    _check_kind("rule", rule, Rule)
    model = rule.adapt(model)
    random_key(seed)
    check_training_memory(task, model, rule, nets)  # which looks at the task's trials, too
    begun.check(model, task.n_inputs, task.n_outputs)
    rule.check(task, model)
    return model, rule, nets, int(seed), begun


def network_indices(nets: Any, start: Any = None) -> range:
    """The indices of the networks: all below a number, or a range of them.

    Raises InvalidSetting for other ranges than whole ones from 0 on, and for one that does not
    begin at 0 where there are networks to begin with: which of them each is would not be said.
    """
    if not isinstance(nets, range):
        return range(whole_number("nets", nets))
    if not nets or nets.step != 1 or nets.start < 0:
        raise InvalidSetting(
            f"nets = {nets!r} is not allowed: indices one after the other, as range(4, 8)"
        )
    if nets.start and start is not None:
        raise InvalidSetting(f"nets = {nets!r} is not allowed with start: a number of networks")
    return nets


def checked_stages(
    curriculum: Curriculum | None, task: Task, model: Model, rule: Rule, nets: int
) -> tuple[Stage, ...]:
    """The stages of a curriculum before the task; none without one.

    Raises InvalidSetting for those that cannot be trained, or that leave no update for the task.
    """
    stages = () if curriculum is None else curriculum.stages(task)
    updates = sum(stage.steps for stage in stages)
    if updates >= rule.n_steps:
        raise InvalidSetting(
            f"curriculum: its stages take up to {updates} updates, the rule has {rule.n_steps} in "
            "all: it must have more, for the task itself"
        )
    for stage in stages:
        check_training_memory(stage.task, model, rule, nets)
        rule.check(stage.task, model)
    return stages


def _usual_model(task: Task, rule: Any) -> Model:
    """What is trained on a task by a rule, or by the task's own where there is none."""
    usual = recipe(task).model
    return rule.usual_model(usual) if isinstance(rule, Rule) else usual


def _check_kind(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        hint = f"; did you mean {value.__name__}()?" if isinstance(value, type) else ""
        raise InvalidSetting(
            f"{name} = {shown(value)} is not allowed: a {kind.__name__} is needed{hint}"
        )
