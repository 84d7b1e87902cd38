"""What the page's story says of fixed points and automata: what is there, proved, and wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from attractory import analysis
from attractory.report._slow import main_table

if TYPE_CHECKING:
    from attractory.report._dynamics import Dynamics
    from attractory.report._slow import SlowStudy
    from attractory.report._study import Study


def how_it_is_done(known: list[Dynamics]) -> str:
    """What the networks have without input, and how far they are the machine of their task."""
    points = [each.points for each in known]
    who = "the network has" if len(known) == 1 else f"each of the {len(known)} networks has"
    said = (
        f"Left alone, {who} {from_to(len(each.stable) for each in points)} stable fixed points "
        f"among {from_to(map(len, points))} in all"
    )
    moving = [len(attractors.oscillations) for attractors in _attractors(known)]
    if any(moving):
        said += f", and {from_to(moving)} attractors that move"
    continua = sum(each.completeness.continuum for each in points)
    if continua:
        said += f" (samples of a continuum in {_of(continua, known)})"
    return "; ".join([said, *_joined(known), *_machine(known)]) + "."


def slow_states(slow: SlowStudy) -> str:
    """What the longest slow sets are under the task's constant inputs; "" where none was sought."""
    kinds = Counter(main_table(slow.networks)["slow set"]) if slow.networks else Counter()
    if not kinds:
        return ""
    nets = len(slow.networks)
    of = "" if nets == 1 else f", over {nets} networks"
    forms = ", ".join(
        f"{'none' if kind == 'none' else f'a {kind}'} in {count}"
        for kind, count in kinds.most_common()
    )
    return f"Slow states under {kinds.total()} constant inputs{of}: {forms}."


def _joined(known: list[Dynamics]) -> list[str]:
    """Whether saddles join the stable points to a cube."""
    cubes = [each.connections.hypercube for each in known if each.connections is not None]
    sizes = {size for size in cubes if size is not None}
    if len(sizes) != 1:
        return []
    count = sum(size is not None for size in cubes)
    where = f" in {_of(count, known)}" if len(known) > 1 else ""
    return [f"saddles join them to the {sizes.pop()}-cube{where}"]


def _machine(known: list[Dynamics]) -> list[str]:
    machines = _machines(known)
    if not machines:
        return []
    right = sum(int(machine.correct.sum()) for machine in machines)
    count = sum(machine.correct.size for machine in machines)
    return [f"{right} of {count} transitions between its states are those of the task's machine"]


def what_is_proved(study: Study) -> str:
    """What certificates hold, told apart from what was seen or measured."""
    known = study.dynamics
    if not known:
        nothing = "Nothing: no fixed point was looked for."
        if study.scores is None:
            return nothing
        measured = f"The scores and state spaces are measurements on {study.scores.n} trials."
        return f"{nothing} {measured}"
    return "; ".join([_points_proved(known), _lists_proved(known), *_states_proved(known)]) + "."


def _points_proved(known: list[Dynamics]) -> str:
    proved = sum(int(each.points.certified.sum()) for each in known)
    count = sum(len(each.points) for each in known)
    return f"{proved} of {count} fixed points are proved to be where they are listed"


def _lists_proved(known: list[Dynamics]) -> str:
    """Of how many networks all fixed points are known."""
    levels = [each.points.completeness.level for each in known]
    proved, seen = levels.count("proved"), levels.count("nothing says that one is missing")
    if len(known) == 1:
        said = f"that none is missing is {'' if proved else 'not '}proved"
        return f"{said} (nothing says that one is)" if seen else said
    said = f"that none is missing is proved for {_of(proved, known)}"
    return f"{said} (for {seen} nothing says that one is)" if seen else said


def _states_proved(known: list[Dynamics]) -> list[str]:
    """How many states of the machine are held for ever."""
    machines = _machines(known)
    if not machines:
        return []
    proved = sum(proof is not None for machine in machines for proof in machine.proofs)
    held = sum(int((~machine.lost).sum()) for machine in machines)
    count = sum(len(machine.lost) for machine in machines)
    said = f"{proved} of {count} states of the machine are proved to be held for ever without noise"
    if held > proved:
        steps = from_to(machine.hold_limit for machine in machines)
        said += f", {held - proved} more were only watched, for {steps} steps"
    return [said]


def failures_of_dynamics(known: list[Dynamics]) -> list[str]:
    """What is not proved, not decided, or not as the task's machine has it."""
    points = [each.points for each in known]
    undecided = sum(int((~each.decided & ~each.kinked).sum()) for each in points)
    counts = {
        "fixed points without a proof": sum(int((~each.certified).sum()) for each in points),
        "fixed points with an undecided number of unstable dimensions": undecided,
        "networks whose list of fixed points may lack some": sum(
            not each.completeness.complete for each in points
        ),
    }
    return [*_counted(counts), *_failures_of_machines(_machines(known))]


def _failures_of_machines(machines: list[analysis.Automaton]) -> list[str]:
    noisy = sum(int((each.correct & (each.failures > 0)).sum()) for each in machines)
    counts = {
        "transitions unlike the machine's": sum(int((~each.correct).sum()) for each in machines),
        "transitions that fail in some noisy sample alone": noisy,
        "states that lose their meaning in silence": sum(
            int((each.lost | each.lost_noise).sum()) for each in machines
        ),
        "attractors of no state of the machine": sum(len(each.others) for each in machines),
    }
    return _counted(counts)


def _counted(counts: dict[str, int]) -> list[str]:
    return [f"{what}: {count}" for what, count in counts.items() if count]


def _attractors(known: list[Dynamics]) -> list[analysis.Attractors]:
    """Of those networks whose attractors are known."""
    found = []
    for each in known:
        holder = each.connections or each.automaton
        if holder is not None:
            found.append(holder.attractors)
    return found


def _machines(known: list[Dynamics]) -> list[analysis.Automaton]:
    return [each.automaton for each in known if each.automaton is not None]


def from_to(counts: Iterable[int]) -> str:
    """One number, or the smallest and the largest."""
    values = np.array(list(counts))
    low, high = values.min(), values.max()
    return str(low) if low == high else f"{low} to {high}"


def _of(count: int, known: list[Dynamics]) -> str:
    """How many of the networks."""
    if len(known) == 1:
        return "this network"
    return f"{count} of the {len(known)} networks"
