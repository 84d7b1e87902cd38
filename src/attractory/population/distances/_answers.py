"""The distance between what two networks answer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attractory._errors import InvalidSetting
from attractory.population._distance import distance
from attractory.population._subject import Subject


class Answers(NamedTuple):
    """What a network answers, and what two answers may differ in.

    answers: options chosen (trial, answer), or outputs (trial, time, output). counted: the points
    that count, of the shape of answers. tolerance: by how much two points may differ. share: of
    the counted points that must be as near as that.
    """

    answers: np.ndarray
    counted: np.ndarray
    tolerance: float
    share: float


def answers(subject: Subject) -> Answers:
    task, trials = subject.task, subject.trials
    if task is None or trials is None:
        raise InvalidSetting("task = None: the distance 'behaviour' is of answers to a task")
    if task.options:
        chosen = task.chosen(subject.outputs, trials)
        return Answers(chosen, np.ones(chosen.shape, bool), 0.5, 1.0)  # numbers of options
    return Answers(subject.outputs, trials.mask > 0, task.tolerance, task.share_needed)


@distance(
    needs="outputs",
    source="share of trials; the task's own criterion",
    invariances=("permutation", "rotation"),
    unit="share of trials",
    prepare=answers,
)
def behaviour(a: Answers, b: Answers) -> float:
    """The share of trials that two networks answer differently.

    Where a task has options: not the same ones are chosen. Else the outputs of the two are not
    within the task's tolerance of each other at the share of points that a correct answer needs.
    """
    axes = tuple(range(1, a.answers.ndim))
    near = (np.abs(a.answers - b.answers) < a.tolerance) & a.counted
    alike = near.sum(axes) >= a.share * a.counted.sum(axes)
    return float(1.0 - alike.mean())
