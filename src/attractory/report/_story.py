"""The story of a run, for the page's first screen: five questions, each with a short answer."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from attractory._errors import InvalidSetting, one_line
from attractory.report._levels import chance_of
from attractory.report._story_of_dynamics import (
    failures_of_dynamics,
    how_it_is_done,
    slow_states,
    what_is_proved,
)
from attractory.report._story_of_scores import failures_of_scores, how_well, in_three_dimensions
from attractory.report.sections._settings import of_source
from attractory.runs import Run
from attractory.tasks import Task

if TYPE_CHECKING:
    from attractory.report._study import Study

AS_ASKED = ("finished", "stopped early", "imported")  # what is said of a network that did not fail


class Told(NamedTuple):
    """A question, its answer, and the command that finds what the answer lacks ("": nothing)."""

    question: str
    answer: str
    command: str = ""


def story(study: Study) -> list[Told]:
    """What was trained, whether it works, how, what proves it, and what fails."""
    command = _command(study)
    chance = chance_of(study.run, study.task)
    return [
        Told("What was trained?", trained(study.run)),
        Told("Does it work?", how_well(study, chance)),
        Told("How does it do it?", _how(study), command),
        Told("What is proved?", what_is_proved(study), command),
        Told("What fails?", _failures(study, chance)),
    ]


def trained(run: Run) -> str:
    """Where the networks come from."""
    if run.source is not None:
        return f"Imported from {of_source(run, 'file')} and analysed on the task {run.task.name}."
    if not len(run.history):
        return f"Networks without a training history, analysed on the task {run.task.name}."
    steps = int(run.history["step"].max())
    batch = run.rule.batch if run.rule is not None else 0
    by = f" by {run.rule.in_words}" if run.rule is not None else ""
    seconds = float(run.history["seconds"].max())
    return (
        f"Trained{by}: {steps} updates of {batch} trials ({steps * batch:,} trials a network) "
        f"of the task {run.task.name}{_stages(run)} in {seconds:.0f}\u00a0s, seed {run.seed}; "
        f"{type(run.model).__name__}, {_ends(run)}."
    )


def _stages(run: Run) -> str:
    """That other tasks came first, where they did."""
    count = len(run.curriculum)
    if not count:
        return ""
    return f" and of {count} {'stage' if count == 1 else 'stages'} before it"


def _ends(run: Run) -> str:
    """How the training of the networks ended."""
    ends = Counter(_status(row) for row in run.status)
    if len(run.networks) == 1:
        return next(iter(ends))
    return ", ".join(f"{count} {status}" for status, count in ends.most_common())


def _status(row: dict[str, Any]) -> str:
    return one_line(str(row.get("status", "unknown")))


def _how(study: Study) -> str:
    """By what dynamics; without them, what is seen of the states."""
    found = how_it_is_done(study.dynamics) if study.dynamics else ""
    states = f"{in_three_dimensions(study)}." if study.principal_spaces else ""
    slow = slow_states(study.slow) if study.slow else ""
    said = [found, slow, states] if found else [slow, states, "Fixed points were not looked for."]
    return " ".join(filter(None, said))


def _failures(study: Study, chance: float | None) -> str:
    """What went wrong or is not known, of all that was looked at, and what was not looked at."""
    seen = [*_unfinished(study.run), *failures_of_scores(study, chance)]
    if study.audit is not None and study.audit.violations:
        seen.append(f"weights that break a constraint of the model: {study.audit.violations}")
    seen += failures_of_dynamics(study.dynamics or [])
    looked = _looked_at(study)
    if not seen:
        seen = [f"nothing, as far as {', '.join(what for what, was in looked.items() if was)} go"]
    said = "; ".join(seen)
    said = f"{said[0].upper()}{said[1:]}."
    left_out = [what for what, was in looked.items() if not was]
    return f"{said} Not looked at: {', '.join(left_out)}." if left_out else said


def _unfinished(run: Run) -> list[str]:
    """Networks whose training ended otherwise than it was asked to."""
    ends = Counter(_status(row) for row in run.status)
    return [
        f"{count} of {len(run.networks)} networks: {status}"
        for status, count in ends.items()
        if status not in AS_ASKED
    ]


def _looked_at(study: Study) -> dict[str, bool]:
    """What can fail, and whether this study has looked at it."""
    known = study.dynamics or []
    looked = {
        "scores": study.scores is not None,
        "robustness": bool(study.curves),
        "fixed points": bool(known),
    }
    if is_machine(study.task):
        looked["transitions of the task's machine"] = any(each.automaton for each in known)
    return looked


def is_machine(task: Task) -> bool:
    """Whether the task says which machine of discrete states it asks for."""
    try:
        task.machine()
    except InvalidSetting:
        return False
    return True


def _command(study: Study) -> str:
    """What finds the dynamics that the page lacks; "" where it lacks none."""
    known = study.dynamics or []
    flags = [] if any(each.connections for each in known) else ["--fixed-points"]
    if is_machine(study.task) and not any(each.automaton for each in known):
        flags.append("--automaton")
    if not flags:
        return ""
    if study.run.path is None:
        asked = ", ".join(f"{flag[2:].replace('-', '_')}=True" for flag in flags)
        return f"at.report.write(run, path, at.report.study(run, {asked}))"
    # the folder as the caller named it; one that is named from the root says too much of a machine
    folder = "RUN" if study.run.path.is_absolute() else shlex.quote(str(study.run.path))
    return f"attractory report {folder} {' '.join(flags)}"
