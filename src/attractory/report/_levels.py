"""What scores are seen beside: the ideal observer, chance, an output that never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from attractory._errors import InvalidSetting
from attractory._stored import stored
from attractory.runs import Run
from attractory.tasks import Task, Trials


@stored
@dataclass(frozen=True)
class Levels:
    """What the scores on some trials can be compared with.

    Attributes
    ----------
    ideal : float or None
        The share of trials that the ideal observer answers correctly; None where the task does not
        state it.
    answerable : int
        How many of the trials have a correct answer.
    constant_mse : float
        The mean squared error of the best output that never changes.
    """

    ideal: float | None
    answerable: int
    constant_mse: float


def levels(task: Task, trials: Trials) -> Levels:
    """What scores on these trials of a task can be compared with."""
    answered = task.correct(trials.targets, trials)
    return Levels(
        ideal=_stated(task.ideal),
        answerable=int(np.isfinite(answered).sum()),
        constant_mse=_constant_mse(trials),
    )


def chance_of(run: Run, task: Task) -> float | None:
    """The share of trials answered correctly by the best answer that ignores the inputs.

    None where the task does not state it. A memory searches for that answer, for seconds: it is
    kept with the run's results.
    """
    if task.missing:  # nothing is kept of what was not asked
        return None
    found: float | None = run.results.of(
        "chance", {"task": task}, partial(_stated, task.chance), None
    )
    return found


def _stated(level: Callable[[], float]) -> float | None:
    try:
        return float(level())
    except InvalidSetting:
        return None


def _constant_mse(trials: Trials) -> float:
    """Of the mean of each channel's targets, counted as scores count them: weighted by the mask."""
    weights = np.asarray(trials.mask, float)
    counted = np.maximum(weights.sum((0, 1)), np.finfo(float).tiny)
    means = (weights * trials.targets).sum((0, 1)) / counted
    errors = weights * (trials.targets - means) ** 2
    return float(errors.sum() / counted.sum())
