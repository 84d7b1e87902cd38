"""What tells trials apart: their conditions, what the network chose, whether it was correct."""

from __future__ import annotations

import numpy as np

from attractory._errors import InvalidSetting, nearest, shown
from attractory.tasks import Task, Trials

CHOICE, CORRECT = "choice", "correct"


def values_of(
    argument: str, names: tuple[str, ...], outputs: np.ndarray, trials: Trials, task: Task | None
) -> dict[str, np.ndarray]:
    """The values (trial,) of conditions and answers by name, NaN where a trial has none.

    A choice is the index of the option. InvalidSetting names those that there are.
    """
    answers = {} if task is None else _answers(outputs, trials, task)
    known = {**trials.conditions, **answers}
    for name in names:
        if name in known:
            continue
        if task is None and name.startswith((CHOICE, CORRECT)):
            raise InvalidSetting(
                f"{argument} = {shown(name)} needs the task that tells it from the outputs: "
                "task=task"
            )
        allowed = nearest(name, known) if known else "the trials have none"
        raise InvalidSetting(f"{argument} = {shown(name)} is no condition of the trials; {allowed}")
    found = {name: np.asarray(known[name]) for name in names}
    for name, values in found.items():
        if values.shape != (len(trials),):
            raise InvalidSetting(
                f"trials.conditions[{shown(name)}] has shape {values.shape}; it must be "
                f"({len(trials)},), one value a trial"
            )
    return found


def _answers(outputs: np.ndarray, trials: Trials, task: Task) -> dict[str, np.ndarray]:
    """What was chosen in each answer, and whether the trial was answered correctly, by name."""
    found = {CORRECT: task.correct(outputs, trials)}
    if task.options:
        chosen = task.chosen(outputs, trials).astype(float)
        chosen[chosen < 0] = np.nan
        found |= dict(zip(_choice_names(task), chosen.T, strict=True))
    return found


def _choice_names(task: Task) -> tuple[str, ...]:
    answers = len(task.answer_epochs)
    if answers == 1:
        return (CHOICE,)
    return tuple(f"{CHOICE}_{i + 1}" for i in range(answers))


def is_choice(name: str, task: Task | None) -> bool:
    """The values of this name are indices of options."""
    return task is not None and bool(task.options) and name in _choice_names(task)


def with_options(conditions: dict[str, np.ndarray], task: Task | None) -> dict[str, np.ndarray]:
    """The values of conditions, of a choice the name of the option in the place of its index."""
    options = np.array(() if task is None else task.options)
    return {
        name: options[found.astype(int)] if is_choice(name, task) else found
        for name, found in conditions.items()
    }
