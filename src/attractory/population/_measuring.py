"""Many networks measured: one number a network for each measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from attractory._arguments import a_flag, names_of, optional, takes, whole
from attractory._errors import InvalidSetting, shown
from attractory._progress import NetworksProgress
from attractory.evaluation import Responses, responses
from attractory.models import Network, check_fit
from attractory.population._kept import kept_together
from attractory.population._measure import NEEDS, Measure, find_measure, measure_names
from attractory.population._measure_context import Context
from attractory.population._measures import Measures
from attractory.population._members import Member, common_task, members_of
from attractory.runs import Run
from attractory.tasks import Task, Trials, as_task_or_trials

IN_TRIALS = ("trials", "states", "machine")  # what cannot be without a task
ALONE = ("weights", "history")  # what is the same whatever the task
LOSSES = ["net", "step", "loss", "validation_loss"]  # what measures of a history are of
EACH = "*"  # instead of an epoch: every one of the task

Networks = Network | Sequence[Network] | Run


class Asked(NamedTuple):
    """A measure that is asked for, and the epoch whose states it is of."""

    measure: Measure
    epoch: str | None

    @property
    def name(self) -> str:
        own = self.measure.name
        return own if self.epoch is None else f"{own}@{self.epoch}"


@takes(
    names=optional(names_of),
    task=optional(as_task_or_trials),
    trials=whole(1),
    seed=whole(),
    progress=a_flag,
)
def measure(
    networks: Networks | Mapping[str, Networks],
    names: Sequence[str] | str | None = None,
    task: Task | Trials | None = None,
    trials: int = 512,
    seed: int = 0,
    progress: bool = True,
) -> Measures:
    """One number a network for each measure, over a population.

    Parameters
    ----------
    networks : Network, sequence of Network, Run, or dict of these
        A dict names groups: {"trained": run, "untrained": networks}. Networks of a run that
        diverged are left out, and named in the result.
    names : str or sequence of str, optional
        The measures (`measure_names`). A measure of states may be asked for in one epoch of the
        task, "participation_ratio@delay", or in each of them, "participation_ratio@*". None: all
        that need no fixed points and for which all is there: a task for those of trials, a history
        for those of training.
    task : Task or Trials, optional
        What all networks are given. None: the task that the runs have in common.
    trials : int
        Number of trials, the same for all networks; states are those of the first 64.
    seed : int
        Of the trials, of the networks' own noise and of searches.
    progress : bool
        Whether to show how far it is, on standard error.

    Returns
    -------
    Measures
        A row a network.

    Raises
    ------
    InvalidSetting
        For an unknown measure, one that needs a task where there is none, and a network that does
        not fit the task.

    Notes
    -----
    What several measures need is computed once a network: its outputs, its states, its spectrum,
    its fixed points. Of a run the analyses are kept in its folder and found again, and so are the
    measures, in that of the first run, but for those of a user's own.

    Examples
    --------
    >>> measured = at.population.measure({"bptt": run, "force": other})  # doctest: +SKIP
    >>> measured.table(), measured.compare().table()  # doctest: +SKIP
    """
    members, left_out = members_of(networks)
    asked = _asked(names, members, task)
    if any(each.measure.needs not in ALONE for each in asked):
        task = common_task(members) if task is None else task
    else:
        task = None
    settings = {
        "names": [each.name for each in asked],
        "task": task,
        "trials": trials,
        "seed": seed,
        "diverged": left_out,
        "histories": _histories(members, asked),
    }
    functions = [each.measure.function for each in asked]

    def compute() -> Measures:
        answers = None if task is None else _answers(members, task, trials, seed)
        return _measured(members, left_out, _by_epoch(asked, answers), answers, seed, progress)

    return kept_together(members, "measures", settings, functions, compute)


def _histories(members: Sequence[Member], asked: Sequence[Asked]) -> list[Any]:
    """What measures of training are of, where any is asked for, beside the weights."""
    if all(each.measure.needs != "history" for each in asked):
        return []
    runs = {id(member.run): member.run for member in members if member.run is not None}
    # single precision: a loss that was read from a file may differ in its last digit
    return [run.history.reindex(columns=LOSSES).to_numpy(np.float32) for run in runs.values()]


def _measured(
    members: Sequence[Member],
    left_out: tuple[str, ...],
    asked: Sequence[Asked],
    answers: Responses | None,
    seed: int,
    progress: bool,
) -> Measures:
    rows, reasons = _rows(members, asked, answers, seed, progress)
    return Measures(
        names=tuple(each.name for each in asked),
        values=np.array(rows),
        net=np.array([member.net for member in members]),
        group=tuple(member.group for member in members if member.group),
        units={each.name: each.measure.unit for each in asked},
        larger={each.name: each.measure.larger for each in asked},
        sources={each.name: each.measure.source for each in asked},
        reasons=reasons,
        left_out=left_out,
        trials=0 if answers is None else len(answers.trials),
        seed=seed,
    )


def _asked(
    names: Sequence[str] | None, members: Sequence[Member], task: Task | Trials | None
) -> list[Asked]:
    """The measures by name; or all that need no fixed points and for which all is there."""
    if names is not None and not names:
        raise InvalidSetting("names is empty; at least one measure is needed")
    if names is not None:
        return [_one(name, members, task) for name in names]
    there = {"weights"}
    if task is not None or common_task(members) is not None:
        there |= {"trials", "states"}
    if all(member.run is not None and len(member.run.history) for member in members):
        there.add("history")
    known = sorted(map(find_measure, measure_names()), key=lambda each: NEEDS.index(each.needs))
    return [Asked(each, None) for each in known if each.needs in there]


def _one(name: str, members: Sequence[Member], task: Task | Trials | None) -> Asked:
    own, at, epoch = name.partition("@")
    found: Measure = find_measure(own)
    if found.needs in IN_TRIALS and task is None and common_task(members) is None:
        raise InvalidSetting(f"task = None is not allowed: {shown(own)} needs a task, or a run")
    if at and found.needs != "states":
        raise InvalidSetting(f"names: {shown(name)}: {own} is not of states, it has no epochs")
    return Asked(found, epoch if at else None)


def _by_epoch(asked: list[Asked], answers: Responses | None) -> list[Asked]:
    """With "*" as each of the task's epochs; an unknown epoch is InvalidSetting."""
    found: dict[str, Asked] = {}
    for each in asked:
        epochs = [each.epoch]
        if each.epoch is not None and answers is not None:
            if each.epoch == EACH and answers.trials.epoch_names:
                epochs = list(answers.trials.epoch_names)
            else:
                answers.trials.during(each.epoch)
        for epoch in epochs:
            one = Asked(each.measure, epoch)
            found[one.name] = one
    return list(found.values())


def _answers(members: Sequence[Member], task: Task | Trials, trials: int, seed: int) -> Responses:
    networks = [member.network for member in members]
    check_fit(networks, task, [member.name for member in members])
    return responses(networks, task, trials, seed)


def _rows(
    members: Sequence[Member],
    asked: Sequence[Asked],
    answers: Responses | None,
    seed: int,
    shows: bool,
) -> tuple[list[list[float]], dict[str, dict[int, str]]]:
    """The numbers (network, measure), and why there is none, by measure and row."""
    rows: list[list[float]] = []
    reasons: dict[str, dict[int, str]] = {}
    with NetworksProgress(len(members), shows) as progress:
        for row in progress.networks():
            context = _context(members[row], answers, seed)
            rows.append([])
            for each in asked:
                progress.say(each.name)
                number, reason = _number(each, context)
                rows[-1].append(number)
                if reason:
                    reasons.setdefault(each.name, {})[row] = reason
    return rows, reasons


def _context(member: Member, answers: Responses | None, seed: int) -> Context:
    own = None
    if answers is not None:
        own = Responses(answers.task, answers.trials, (member.network,), answers.seed, alone=True)
    return Context(member.network, own, seed, member.run, member.net)


def _number(asked: Asked, context: Context) -> tuple[float, str]:
    """The number, or NaN and the reason why there is none."""
    name = asked.measure.name
    try:
        found: Any = asked.measure.function(context.network, context.during(asked.epoch))
    except InvalidSetting as problem:
        return np.nan, str(problem).rstrip(".")
    try:
        number = float(found)
    except (TypeError, ValueError):
        raise InvalidSetting(f"measure {name} gave {shown(found)}; a number is needed") from None
    if not np.isfinite(number):
        return np.nan, f"the measure gave {number}"
    return number, ""
