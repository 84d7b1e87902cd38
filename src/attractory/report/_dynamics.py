"""The dynamics of one network: fixed points, how they hang together, the automaton."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from attractory import analysis
from attractory._arguments import a_flag, instance_of, optional, takes, whole
from attractory._errors import InvalidSetting
from attractory._result import Result
from attractory._settings import Settings
from attractory.models import Network
from attractory.runs import Run, a_run, of_network
from attractory.tasks import Task, as_task


class Effort(Settings):
    """How much is spent on the dynamics of a network.

    Parameters
    ----------
    starts, max_starts : int
        Of the search for fixed points (see `analysis.fixed_points`).
    driven_starts : int
        Of the searches under constant input, which do not go on after these.
    samples : int
        Noisy samples of each transition of the automaton.
    hold_steps : int
        How long the automaton's states are watched (steps).
    disturbances, slow_points : bool
        Whether they are searched for.
    ways : int
        Off saddles with several unstable dimensions (`samples` of `analysis.connections`).
    patterns, branches : int
        Under how many constant pulse patterns fixed points are searched for, and followed as the
        input grows.
    """

    starts: int = 1024
    max_starts: int = 32_768
    driven_starts: int = 256
    samples: int = 1000
    hold_steps: int = 100_000
    disturbances: bool = True
    slow_points: bool = True
    ways: int = 8
    patterns: int = 26
    branches: int = 6

    @classmethod
    def quick(cls) -> Effort:
        """Enough to see what a network does, in a fraction of the time.

        Returns
        -------
        Effort
            With fewer starts and samples, and without disturbances and slow points.
        """
        return cls(
            starts=256,
            max_starts=4096,
            driven_starts=128,
            samples=10,
            hold_steps=5000,
            disturbances=False,
            slow_points=False,
            ways=1,
            patterns=1,
            branches=1,
        )


an_effort = optional(instance_of(Effort))


@dataclass(frozen=True, repr=False)
class Dynamics(Result):
    """The dynamics of one network. What was not asked for is None, or empty.

    Attributes
    ----------
    points : FixedPoints
        Fixed points without input.
    connections : Connections or None
        How they hang together, with the attractors that move.
    continuations : list of Continuation
        Of the memories under growing input.
    driven : pandas.DataFrame or None
        A table of the fixed points under each constant pulse.
    modes : pandas.DataFrame or None
        A table of the slowest modes at stable points.
    disturbances : list of Disturbance
        The smallest that leave a stable point.
    slow : SlowPoints or None
        Slow points.
    automaton : Automaton or None
        The network as the machine of its task.
    """

    points: analysis.FixedPoints
    connections: analysis.Connections | None = None
    continuations: list[analysis.Continuation] = field(default_factory=list)
    driven: pd.DataFrame | None = None
    modes: pd.DataFrame | None = None
    disturbances: list[analysis.Disturbance] = field(default_factory=list)
    slow: analysis.SlowPoints | None = None
    automaton: analysis.Automaton | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Everything as tables.

        Returns
        -------
        dict of str to pandas.DataFrame
            By file name.
        """
        tables = {"fixed_points": self.points.table()}
        if self.connections is not None:
            tables["connections"] = self.connections.table()
            tables["oscillations"] = _oscillation_table(self.connections.attractors)
        if self.continuations:
            tables["folds"] = pd.concat(
                each.table().assign(pattern=_named(each.pattern)) for each in self.continuations
            )
        if self.driven is not None:
            tables["driven_points"] = self.driven
        if self.modes is not None:
            tables["modes"] = self.modes
        if self.disturbances:
            tables["disturbances"] = pd.DataFrame(
                {
                    "point": [each.start for each in self.disturbances],
                    "end": [each.end for each in self.disturbances],
                    "size": [each.size for each in self.disturbances],
                    "relative": [each.relative for each in self.disturbances],
                }
            )
        if self.slow is not None:
            tables["slow_points"] = pd.DataFrame(
                {"speed": self.slow.speed}
                | {f"output_{i}": column for i, column in enumerate(self.slow.outputs.T)}
            )
        if self.automaton is not None:
            tables["transitions"] = self.automaton.transitions()
            tables["states"] = self.automaton.states()
        return tables

    def summary(self) -> dict[str, Any]:
        """The main numbers and the statements, for a file.

        Returns
        -------
        dict
            Numbers and sentences by name.
        """
        completeness = self.points.completeness
        made: dict[str, Any] = {
            "fixed_points": len(self.points),
            "stable": len(self.points.stable),
            "certified": int(self.points.certified.sum()),
            "degree_sum": self.points.degree_sum,
            "coverage": self.points.coverage,
            "complete": completeness.level,
            "statement": self.points.statement,
        }
        if self.connections is not None:
            made["oscillations"] = len(self.connections.attractors.oscillations)
            made["hypercube"] = self.connections.hypercube
        if self.automaton is not None:
            made["automaton"] = self.automaton.statement
        return made


@takes(
    run=a_run,
    task=as_task,
    net=whole(),
    effort=an_effort,
    fixed_points=a_flag,
    automaton=a_flag,
    seed=whole(),
)
def dynamics(
    run: Run,
    net: int,
    task: Task,
    effort: Effort | None = None,
    fixed_points: bool = True,
    automaton: bool = True,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Dynamics:
    """Fixed points, and what hangs on them, and the automaton of one network, as far as asked for.

    Parameters
    ----------
    run : Run
        What it keeps of the network is not computed again; what is computed, it keeps.
    net : int
        Index of the network.
    task : Task
        The task that the network is asked to do.
    effort : Effort, optional
        How much is spent; the usual effort when None.
    fixed_points : bool
        Whether what hangs on the fixed points is looked for.
    automaton : bool
        Whether the network is tested as the machine of the task; this needs the fixed points too.
    seed : int
        Of the searches and samples.
    say : callable
        Is told what is being done.

    Returns
    -------
    Dynamics
        What was not asked for is None, or empty.
    """
    effort = effort or Effort()
    settings = {"task": task, "effort": effort, "fixed_points": fixed_points}
    settings |= {"automaton": automaton, "seed": seed}
    found: Dynamics = run.results.of(
        "dynamics",
        settings,
        lambda: _dynamics(run, net, task, effort, fixed_points, automaton, seed, say),
        net,
    )
    return found


def known_dynamics(run: Run, net: int, task: Task) -> Dynamics | None:
    """What was computed already of a network's dynamics, here or in a notebook; None: nothing."""
    whole: Dynamics | None = run.results.newest("dynamics", net, task=task)
    if whole is not None:
        return whole
    machine = run.results.newest("automaton", net, task=task)
    if machine is not None:
        return Dynamics(machine.attractors.points, automaton=machine)
    points = run.results.newest("fixed_points", net, inputs=None)
    return None if points is None else Dynamics(points)


def _dynamics(
    run: Run,
    net: int,
    task: Task,
    effort: Effort,
    fixed_points: bool,
    automaton: bool,
    seed: int,
    say: Callable[[str], None],
) -> Dynamics:
    """As `dynamics`, computed."""
    network = run.networks[net]
    say("fixed points")
    search = {"n_starts": effort.starts, "max_starts": effort.max_starts, "seed": seed}
    points = of_network(run, net, analysis.fixed_points, task=task, **search)
    known = analysis.attractors(points, seed=seed)
    parts: dict[str, Any] = {}
    if fixed_points:
        parts = _around(network, task, effort, known, seed, say)
    if automaton:
        say("automaton")
        parts["automaton"] = analysis.automaton(
            network, task, effort.samples, seed, points=known, hold_steps=effort.hold_steps
        )
    return Dynamics(points, **parts)


def _around(
    network: Network,
    task: Task,
    effort: Effort,
    known: analysis.Attractors,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """What hangs on the fixed points without input: the parts of `Dynamics` by name."""
    points = known.points
    say("connections between fixed points")
    connections = analysis.connections(known, max_unstable=3, seed=seed, samples=effort.ways)
    patterns = _patterns(network, task)
    say("fixed points under input")
    driven = [
        analysis.fixed_points(
            network,
            pattern,
            n_starts=effort.driven_starts,
            seed=seed,
            task=task,
            max_starts=effort.driven_starts,
        )
        for pattern in patterns[: effort.patterns]
    ]
    parts = {
        "connections": connections,
        "continuations": [
            analysis.continuation(points, pattern, starts=points.stable[:16])
            for pattern in patterns[: effort.branches]
        ],
        "driven": _driven_table(driven) if driven else None,
        "modes": _modes_table(network, points),
        "slow": points.slow if effort.slow_points else None,
    }
    if effort.disturbances and len(points.stable) > 1:
        say("smallest disturbances")
        parts["disturbances"] = analysis.smallest_disturbances(known, points.stable[:16])
    return parts


def _modes_table(network: Network, points: analysis.FixedPoints) -> pd.DataFrame | None:
    """The four slowest modes at each of the first stable points."""
    tables = [
        analysis.linearisation(network, points.states[point]).table(4).assign(point=int(point))
        for point in points.stable[:16]
    ]
    return pd.concat(tables) if tables else None


def _patterns(network: Network, task: Task) -> list[np.ndarray]:
    """The task's constant inputs, or its pulses as such, those of fewest channels first; one input
    at a time where the task has neither."""
    if held := task.constant_inputs():
        return [each.inputs for each in held if each.inputs.any()]
    try:
        pulses = task.machine().pulses[:, 0]
    except InvalidSetting:
        ones = np.eye(network.n_inputs)
        pulses = np.concatenate([ones, -ones])
    order = np.argsort(np.abs(pulses).sum(axis=1), kind="stable")
    return [pulses[i] for i in order if pulses[i].any()]


def _driven_table(driven: list[analysis.FixedPoints]) -> pd.DataFrame:
    """A row for each input pattern: how many fixed points there are, and where the stable ones
    read out."""
    rows = []
    for points in driven:
        stable = points.outputs[points.stable]
        read = ", ".join("(" + " ".join(f"{z:.2f}" for z in row) + ")" for row in stable[:8])
        rows.append(
            {
                "pattern": _named(points.inputs),
                "fixed_points": len(points),
                "stable": len(stable),
                "certified": int(points.certified.sum()),
                "degree_sum": points.degree_sum,
                "complete": points.completeness.level,
                "stable_outputs": read + (", …" if len(stable) > 8 else ""),
            }
        )
    return pd.DataFrame(rows)


def _oscillation_table(attractors: analysis.Attractors) -> pd.DataFrame:
    rows = []
    for i, each in enumerate(attractors.oscillations):
        row: dict[str, Any] = {
            "attractor": len(attractors.points) + i,
            "kind": each.kind,
            "period": each.period,
            "frequency": each.frequency,
            "lyapunov": each.lyapunov,
            "speed": each.speed,
        }
        for channel in range(len(each.output_mean)):
            row[f"output_{channel}"] = each.output_mean[channel]
            row[f"output_{channel}_low"] = each.output_low[channel]
            row[f"output_{channel}_high"] = each.output_high[channel]
        rows.append(row)
    return pd.DataFrame(rows)


def _named(pattern: np.ndarray | None) -> str:
    return "" if pattern is None else "(" + ", ".join(f"{value:g}" for value in pattern) + ")"
