"""The smallest network that learns a task: one size trained after the other, as few as needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attractory._arguments import (
    a_flag,
    a_share,
    indices,
    instance_of,
    optional,
    positive,
    takes,
    whole,
)
from attractory._errors import InvalidSetting, shown
from attractory._files import as_path
from attractory.evaluation import evaluate
from attractory.models import Model
from attractory.population._battery import a_score
from attractory.population._size_search import search
from attractory.population._smallest_result import SmallestNetwork
from attractory.rules import Rule
from attractory.tasks import Task, as_task
from attractory.training import recipe, rule_for, train

TRIALS = 512  # by which a network is judged
# of the trials that networks are judged by: another than any of their training
TEST_SEED = 1_000_003


def _sizes_given(name: str, value: Any) -> list[int]:
    found = sorted({int(size) for size in indices(name, value)})
    if len(found) < 2 or found[0] < 1:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: two or more sizes from 1 on")
    return found


def _above_1(name: str, value: Any) -> float:
    factor = positive(name, value)
    if factor <= 1:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: a number above 1")
    return factor


@takes(
    task=as_task,
    sizes=_sizes_given,
    accuracy=a_share,
    seeds=whole(1),
    model=optional(instance_of(Model)),
    rule=optional(instance_of(Rule)),
    score=a_score,
    factor=_above_1,
    most=whole(1),
    seed=whole(),
    progress=a_flag,
)
def smallest(
    task: Task,
    sizes: Sequence[int] = tuple(range(2, 129)),
    accuracy: float = 0.99,
    seeds: int = 5,
    model: Model | None = None,
    rule: Rule | None = None,
    path: str | Path | None = None,
    score: str = "accuracy",
    factor: float = 1.5,
    most: int = 12,
    seed: int = 0,
    progress: bool = True,
) -> SmallestNetwork:
    """How many units a network needs to learn a task.

    Parameters
    ----------
    task : Task
        What is to be learned.
    sizes : sequence of int
        Numbers of units that may be tried.
    accuracy : float
        The score with which a network succeeds.
    seeds : int
        Networks that are trained at a time, of one size.
    model : Model, optional
        What they are, but for the number of units; None: that of the task's recipe.
    rule : Rule, optional
        How they learn; None: that of the task's recipe for the model as it is given, the same one
        for all sizes.
    path : str or Path, optional
        A folder in which each round is a run of its own: the same call goes on from there, and what
        was trained once is found again.
    score : "accuracy" or "correct"
        What `accuracy` is of: the share of correct signs, or of correct trials (`evaluate`).
    factor : float
        Enough is known where the ends of the interval of the size at which half succeed are no
        further apart than that.
    most : int
        Rounds of training at most.
    seed : int
        What all random numbers follow from.
    progress : bool
        Whether to show the training, on standard error.

    Returns
    -------
    SmallestNetwork
        Success by size, and the sizes at which 50 % and 95 % succeed, with intervals.

    Raises
    ------
    InvalidSetting
        For fewer than two sizes, and a model that cannot have one of them.

    Notes
    -----
    The next size is always the one that is expected to tell most of the size at which half succeed.
    A network that diverges has failed. See `SmallestNetwork` for the estimate.

    Examples
    --------
    >>> found = at.population.smallest(task, path="runs/sizes")  # doctest: +SKIP
    >>> found.half, found.table(), at.figures.smallest(found)  # doctest: +SKIP
    """
    model = recipe(task).model if model is None else model
    rule = rule_for(task, model) if rule is None else rule
    models = {size: model.replace(units=size) for size in sizes}
    folder = None if path is None else as_path(path)

    def scores_of(size: int, before: int) -> np.ndarray:
        own = None if folder is None else folder / f"units_{size}_round_{before + 1}"
        run = train(
            task, models[size], rule, nets=seeds, seed=seed + before, path=own, progress=progress
        )
        judged = getattr(evaluate(run, task.scored(), TRIALS, TEST_SEED), score)
        diverged = [row["status"] == "diverged" for row in run.status]
        return np.where(diverged, np.nan, judged)

    rounds, status = search(sizes, scores_of, accuracy, seeds, factor, most)
    return SmallestNetwork(
        task=task.name,
        model=type(model).__name__,
        rule=type(rule).__name__,
        wanted=accuracy,
        score=score,
        sizes=np.array(sizes),
        tried=np.array([each.size for each in rounds]),
        scores=np.stack([each.scores for each in rounds]),
        status=status,
    )
