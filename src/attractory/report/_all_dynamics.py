"""The dynamics of every network of a run, one network after another."""

from __future__ import annotations

from typing import Any

from attractory._progress import NetworksProgress
from attractory.report._dynamics import Dynamics, Effort, dynamics, known_dynamics
from attractory.runs import Run
from attractory.tasks import Task


def all_dynamics(
    run: Run,
    task: Task,
    effort: Effort | None,
    fixed_points: bool | None,
    automaton: bool | None,
    seed: int,
    progress: NetworksProgress,
) -> list[Dynamics] | None:
    """Of each network, where it is asked for; where nothing is said, what is known of all.

    Ctrl-C between and in the networks: the KeyboardInterrupt says how many are done and kept.
    """
    if not (fixed_points or automaton) and False in (fixed_points, automaton):
        return None
    if not (fixed_points or automaton):
        known = [known_dynamics(run, net, task) for net in range(len(run.networks))]
        found = [each for each in known if each is not None]
        return found if len(found) == len(known) else None
    asked = (bool(fixed_points), bool(automaton))
    made: list[Dynamics] = []
    try:
        for net in progress.networks():
            made.append(dynamics(run, net, task, effort, *asked, seed, progress.say))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_kept(run, len(made))) from None
    return made


def _kept(run: Run, done: int) -> str:
    """What there is of a study that was stopped, and how to go on."""
    what = f"the dynamics of {done} of {len(run.networks)} networks are done"
    if run.path is None:
        return what
    return f"{what} and kept in {run.results.folder}; the same command goes on with the next"


def row_of_dynamics(found: Dynamics) -> dict[str, Any]:
    """The main numbers of a network's dynamics, for its row in the table of networks."""
    row: dict[str, Any] = {
        "points_all": len(found.points),
        "points_stable": len(found.points.stable),
        "points_certified": int(found.points.certified.sum()),
        "points_degree_sum": found.points.degree_sum,
    }
    if found.automaton is not None:
        machine = found.automaton
        memories = machine.machine.memories
        row["automaton_correct"] = float(machine.correct[memories].mean())
        row["automaton_margin"] = float(machine.margins[memories].min())
        row["automaton_lost"] = int((machine.lost | machine.lost_noise).sum())
        row["automaton_proved"] = sum(proof is not None for proof in machine.proofs)
    return row
