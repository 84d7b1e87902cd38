"""What scores are seen beside: chance, the ideal observer, an output that never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attractory._errors import InvalidSetting
from attractory._stored import stored
from attractory.tasks import Task, Trials


@stored
@dataclass(frozen=True)
class Levels:
    """What the scores on some trials can be compared with.

    Attributes
    ----------
    chance, ideal : float or None
        Shares of trials answered correctly: by the best answer that ignores the inputs, and by the
        ideal observer; None where the task does not state them.
    answerable : int
        How many of the trials have a correct answer.
    constant_mse : float
        The mean squared error of the best output that never changes.
    """

    chance: float | None
    ideal: float | None
    answerable: int
    constant_mse: float


def levels(task: Task, trials: Trials) -> Levels:
    """What scores on these trials of a task can be compared with."""
    answered = task.correct(trials.targets, trials)
    return Levels(
        chance=_stated(task.chance),
        ideal=_stated(task.ideal),
        answerable=int(np.isfinite(answered).sum()),
        constant_mse=_constant_mse(trials),
    )


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
