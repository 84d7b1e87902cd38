"""What may be trained, checked before anything is computed or claimed."""

from __future__ import annotations

from typing import Any

from attractory._errors import InvalidSetting, shown, whole_number
from attractory.models import Model, in_steps_of
from attractory.rules import Rule
from attractory.tasks import Task, random_key
from attractory.training._memory import check_training_memory
from attractory.training._recipe import recipe, rule_for


def checked_arguments(
    task: Any, model: Any, rule: Any, nets: Any, seed: Any
) -> tuple[Model, Rule, int, int]:
    """Model, rule, nets and seed; those of the task's recipe where model or rule is None.

    Raises InvalidSetting for what cannot be trained, or does not fit into memory.
    """
    _check_kind("task", task, Task)
    model = recipe(task).model if model is None else model
    _check_kind("model", model, Model)
    model = in_steps_of(model, task.dt, task.name)
    rule = rule_for(task, model) if rule is None else rule
    _check_kind("rule", rule, Rule)
    model = rule.adapt(model)
    whole_number("nets", nets)
    random_key(seed)
    check_training_memory(task, model, rule, int(nets))  # which looks at the task's trials, too
    return model, rule, int(nets), int(seed)


def _check_kind(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        hint = f"; did you mean {value.__name__}()?" if isinstance(value, type) else ""
        raise InvalidSetting(
            f"{name} = {shown(value)} is not allowed: a {kind.__name__} is needed{hint}"
        )
