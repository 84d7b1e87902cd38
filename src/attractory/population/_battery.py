"""A population tried on one condition after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from attractory._arguments import (
    a_flag,
    a_name,
    a_share,
    names_of,
    optional,
    refusal,
    several,
    takes,
    whole,
)
from attractory._errors import InvalidSetting, nearest, shown
from attractory._progress import NetworksProgress
from attractory.evaluation import (
    Responses,
    RobustnessCurve,
    axes_of_batteries,
    axis_of,
    responses,
    robustness,
)
from attractory.models import Network, check_fit
from attractory.population._battery_result import Battery
from attractory.population._kept import kept_together
from attractory.population._members import Member, common_task, members_of
from attractory.runs import Run
from attractory.tasks import Task, as_task

Networks = Network | Sequence[Network] | Run

SCORES = ("correct", "accuracy")
A_COIN = 0.5  # of signs: their accuracy where the inputs are ignored


def a_score(name: str, value: Any) -> str:
    if value not in SCORES:
        raise InvalidSetting(f"{name} = {shown(value)} is not allowed: {', '.join(SCORES)}")
    return a_name(name, value)


def _axes_given(name: str, value: Any) -> dict[str, Sequence[Any] | None]:
    """The axes by name, each with its values; None for the usual ones."""
    if isinstance(value, Mapping):
        return {
            a_name(name, axis): None if values is None else several(f"{name}[{axis!r}]", values)
            for axis, values in value.items()
        }
    return dict.fromkeys(names_of(name, value))


@takes(
    task=optional(as_task),
    axes=optional(_axes_given),
    score=a_score,
    level=optional(a_share),
    repeats=whole(1),
    trials=whole(1),
    seed=whole(),
    progress=a_flag,
)
def battery(
    networks: Networks | Mapping[str, Networks],
    task: Task | None = None,
    axes: str | Sequence[str] | Mapping[str, Sequence[Any] | None] | None = None,
    score: str = "correct",
    level: float | None = None,
    repeats: int = 3,
    trials: int = 256,
    seed: int = 0,
    progress: bool = True,
) -> Battery:
    """How robust a population is: scores and thresholds on every axis.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or dict of these
        A dict names groups: {"noisy": run, "plain": networks}. Networks of a run that diverged are
        left out, and named in the result.
    task : Task, optional
        None: the task that the runs have in common.
    axes : str, sequence of str, or dict of str to sequence, optional
        What is varied: settings of the task, and axes of robustness (`attractory.evaluation.axis`);
        a dict says their values, None for the usual ones. None: the task's own conditions
        (`Task.conditions`) and every axis that has usual values, but for those that these networks
        or this task do not have.
    score : "correct" or "accuracy"
        What thresholds are of: the share of correct trials, or of correct signs.
    level : float, optional
        The score below which a threshold is crossed. None: halfway between chance and 1; for signs
        between 1/2 and 1, also for correct trials of a task that does not state its chance.
    repeats : int
        How often an axis that draws at random (which units are lesioned) draws anew for each
        network; its scores are the means.
    trials : int
        Number of trials at each value, the same ones for all networks.
    seed : int
        Of the trials, of the networks' own noise, and of what axes draw: each network its own.
    progress : bool
        Whether to show how far it is, on standard error.

    Returns
    -------
    Battery
        A curve an axis, thresholds by network and by group.

    Raises
    ------
    InvalidSetting
        For an unknown axis, one that is asked for and that these networks do not have, a value that
        is not allowed, and a network that does not fit the task.

    Notes
    -----
    Neighbouring values have the same trials and the same draws: they differ by the condition alone,
    and more lesions are the fewer ones and others. Curves of runs are kept in the folder of the
    first one, an axis at a time, and found again, but for those of a user's own axes.

    Examples
    --------
    >>> tried = at.population.battery({"bptt": run, "force": other})  # doctest: +SKIP
    >>> tried.thresholds(), at.figures.battery(tried)  # doctest: +SKIP
    """
    members, left_out = members_of(networks)
    task = common_task(members) if task is None else task
    if task is None:
        raise InvalidSetting(refusal("task", None, "a Task", "it may be left out where runs are"))
    found = [member.network for member in members]
    check_fit(found, task, [member.name for member in members])
    tried = _with_values(axes, task)
    answers = responses(found, task, trials, seed)

    def curve(axis: str) -> RobustnessCurve:
        return _curve(members, answers, axis, tried[axis], repeats)

    curves, skipped = _curves(list(tried), curve, axes is None, progress)
    chance = _chance(task)
    own = A_COIN if score == "accuracy" or chance is None else chance
    return Battery(
        curves=tuple(curves),
        net=np.array([member.net for member in members]),
        group=tuple(member.group for member in members if member.group),
        score=score,
        level=(1 + own) / 2 if level is None else level,
        chance=chance,
        skipped=skipped,
        left_out=left_out,
        trials=trials,
        repeats=repeats,
        seed=seed,
    )


def _with_values(axes: Any, task: Task) -> dict[str, Sequence[Any]]:
    """What is varied, each with the values that it takes. axes: as `_axes_given` made them."""
    usual = axes_of_batteries(task)
    if axes is None:
        return usual
    if not axes:
        raise InvalidSetting("axes is empty; at least one axis is needed")
    made = {}
    for axis, values in axes.items():
        if values is None and axis not in usual:
            hint = (
                "say its values: axes={name: values}, or --axis NAME=VALUES"
                if _is_known(axis, task)
                else ""
            )
            raise InvalidSetting(
                f"axes: {shown(axis)} has no usual values; {hint or nearest(axis, usual)}"
            )
        made[axis] = usual[axis] if values is None else values
    return made


def _is_known(axis: str, task: Task) -> bool:
    return axis in type(task).model_fields or axis_of(axis, task) is not None


def _curves(
    names: Sequence[str],
    curve: Callable[[str], RobustnessCurve],
    may_skip: bool,
    shows: bool,
) -> tuple[list[RobustnessCurve], dict[str, str]]:
    """A curve an axis, and why there is none of others."""
    curves: list[RobustnessCurve] = []
    skipped: dict[str, str] = {}
    with NetworksProgress(len(names), shows, "axis") as progress:
        for place in progress.networks():
            axis = names[place]
            progress.say(axis)
            try:
                made = curve(axis)
            except InvalidSetting as problem:
                if not may_skip:
                    raise
                skipped[axis] = str(problem).rstrip(".")
            else:
                curves.append(made)
    if not curves:
        raise InvalidSetting("axes: none could be tried; say axes={name: values}")
    return curves, skipped


def _curve(
    members: Sequence[Member],
    answers: Responses,
    axis: str,
    values: Sequence[Any],
    repeats: int,
) -> RobustnessCurve:
    """All networks on one axis, kept with their first run: a battery that is stopped goes on."""
    task, n, seed = answers.task, len(answers.trials), answers.seed
    known = axis_of(axis, task)
    asked = {
        "task": task,
        "axis": axis,
        "values": list(values),
        "trials": n,
        "seed": seed,
        "repeats": repeats,
    }
    return kept_together(
        members, "robustness", asked, [] if known is None else [known.function],
        lambda: robustness(answers, task, axis, values, n, seed, repeats),
    )  # fmt: skip


def _chance(task: Task) -> float | None:
    try:
        return task.chance()
    except InvalidSetting:
        return None
