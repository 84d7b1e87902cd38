"""What `attractory tasks` prints: all tasks, or one of them with some of its trials."""

from __future__ import annotations

import inspect
from typing import Any

from rich.console import Console

from attractory import tasks
from attractory._errors import InvalidSetting
from attractory.cli._tables import flowing, print_frame, table
from attractory.training import recipe

MOST_COLUMNS = 9  # of a trial's conditions that are printed


def print_all(console: Console) -> None:
    """A line for each task."""
    rows = table("task", "what it is", words=2)
    rows.columns[0].min_width = max(map(len, tasks.names()))  # names are typed: never cut
    for name in tasks.names():
        rows.add_row(name, tasks.in_words(name))
    console.print(rows)


def print_task(console: Console, task: tasks.Task) -> None:
    """What it is, its settings, how good one can be at it, and what it is trained with."""
    console.print(flowing(inspect.getdoc(type(task)) or ""), highlight=False, markup=False)
    rows = table("setting", "value", words=2)
    for name, value in task.to_json().items():
        rows.add_row(name, str(value))
    console.print(rows)
    for said in (_sizes(task), _levels(task), _recipe(task)):
        console.print(said, highlight=False, markup=False, soft_wrap=True)


def print_trials(console: Console, trials: tasks.Trials) -> None:
    """The conditions of trials and when their epochs begin, a row a trial."""
    frame = trials.table().map("{:g}".format)
    left_out = list(frame.columns[MOST_COLUMNS:])
    print_frame(console, frame[frame.columns[:MOST_COLUMNS]])
    if left_out:
        console.print(f"and: {', '.join(left_out)}", highlight=False, markup=False)


def _sizes(task: tasks.Task) -> str:
    return (
        f"{task.n_inputs} inputs, {task.n_outputs} outputs, {task.n_steps} steps of {task.dt:g} ms"
    )


def _levels(task: tasks.Task) -> str:
    """Trials correct by the ideal observer, and by chance, where the task states them."""
    try:
        return f"trials correct: ideal observer {task.ideal():.1%}, chance {task.chance():.1%}"
    except InvalidSetting:
        return "trials correct: the task states neither an ideal observer's score nor chance"


def _recipe(task: tasks.Task) -> str:
    made = recipe(task)
    return f"recipe: {_changed(made.model)}; {_changed(made.rule)}"


def _changed(settings: Any) -> str:
    """The settings that differ from their defaults, as they are written in Python."""
    fields = type(settings).model_fields
    said = [
        f"{name}={getattr(settings, name)!r}"
        for name, field in fields.items()
        if getattr(settings, name) != field.default
    ]
    return f"{type(settings).__name__}({', '.join(said)})"
