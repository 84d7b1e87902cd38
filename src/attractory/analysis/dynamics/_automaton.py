"""Is a network the machine that its task asks for? Transition by transition, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes
from attractory._cores import one_blas_thread
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis.dynamics._attractors import Attractors, attractors, points_or_attractors
from attractory.analysis.dynamics._blocks import blocks_of
from attractory.analysis.dynamics._find_points import fixed_points
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._holds import proved_entries, regions_of_meaning, watched
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._step import network_step
from attractory.analysis.dynamics._transitions import from_centers, sampled, state_centers
from attractory.models import Network, check_meeting, one_network
from attractory.runs import kept
from attractory.tasks import Machine, Task, as_task

FOLLOWED = 10_000  # time constants for which a centre is followed to its attractor
PUSH = 1e-6  # on each unit, off a centre that may be an unstable point


@dataclass(frozen=True, repr=False)
class Automaton(Result):
    """A network beside the machine of its task. Arrays (state, input) are in the machine's order.

    A block is an input's pulse and the shortest silence that the task allows after it; the outputs
    are read at its end. Evidence comes in levels, never mixed. T0: from the centre of each state,
    without noise. T1: from states of the same meaning after random histories, with the task's
    noise, in float32. T2: proved.

    Attributes
    ----------
    machine : Machine
        The machine of the task.
    attractors : Attractors
        What the network may end in, in silence.
    centers : array (state, unit)
        The state after it was written and held for as long as the task may ask.
    attractor : array (state,)
        The number of the attractor that the centre, pushed by 1e-6, was seen to go to in silence;
        -1: to none of those known, in the time given.
    reached : array (state, input)
        T0: index of the state read; -1: none.
    margins : array (state, input)
        T0: how clearly the outputs say the state asked for; below 0 they say another.
    samples : array (state, input)
        T1: how many.
    failures : array (state, input)
        T1: how many of the samples failed.
    worst_margins : array (state, input)
        T1: the smallest of all samples; NaN where there is none.
    holds : array (state,)
        The step of silence, without noise, at which the centre first means another state (0: it
        does from the start) where `lost` says so; else the end of the watch, `hold_limit`; inf
        where the state is proved to hold for ever. Watched in float64.
    lost : array (state,)
        The state was seen to lose its meaning.
    holds_noise : array (state,)
        As `holds`, with the task's noise on the inputs, one history.
    lost_noise : array (state,)
        As `lost`, with that noise.
    hold_limit : int
        For how many steps of silence states were watched.
    proofs : tuple of Ellipsoid or None
        T2, one for each state: an ellipsoid around a stable fixed point; all of it means the state,
        nothing leaves it in silence, and the centre comes into it and means the state at every step
        on the way, every rounding bounded. None where there is no such proof.
    others : tuple of int
        The numbers of attractors that no state's centre was seen to go to.
    """

    machine: Machine
    attractors: Attractors
    centers: np.ndarray
    attractor: np.ndarray
    reached: np.ndarray
    margins: np.ndarray
    samples: np.ndarray
    failures: np.ndarray
    worst_margins: np.ndarray
    holds: np.ndarray
    lost: np.ndarray
    holds_noise: np.ndarray
    lost_noise: np.ndarray
    hold_limit: int
    proofs: tuple[Ellipsoid | None, ...]
    others: tuple[int, ...]

    def table(self) -> pd.DataFrame:
        """The state reached from each state by each input, T0.

        Returns
        -------
        DataFrame
            A row for each state and a column for each input; '?' where no state is reached.
        """
        states = pd.Index(self.machine.states, name="state")
        inputs = pd.Index(self.machine.inputs, name="input")
        reached = self._names[self.reached]
        return pd.DataFrame(reached, index=states, columns=inputs)

    @property
    def _names(self) -> np.ndarray:
        """The states' names, and that of no state, which is the last: -1."""
        return np.array([*self.machine.states, "?"])

    @property
    def correct(self) -> np.ndarray:
        """(state, input): the transition is the machine's, from the centre without noise (T0)."""
        return self.reached == self.machine.transitions

    def transitions(self) -> pd.DataFrame:
        """The evidence of levels T0 and T1 for each transition.

        Returns
        -------
        DataFrame
            With the columns state, input, asked, reached, correct, margin, samples, failures and
            worst_margin.
        """
        rows, columns = np.indices(self.reached.shape)
        inputs = np.array(self.machine.inputs)
        asked = self.machine.transitions.ravel()
        return pd.DataFrame(
            {
                "state": self._names[rows.ravel()],
                "input": inputs[columns.ravel()],
                "asked": self._names[asked],
                "reached": self._names[self.reached.ravel()],
                "correct": self.correct.ravel(),
                "margin": self.margins.ravel(),
                "samples": self.samples.ravel(),
                "failures": self.failures.ravel(),
                "worst_margin": self.worst_margins.ravel(),
            }
        )

    @property
    def failing(self) -> pd.DataFrame:
        """The transitions that fail, at T0 or in any sample of T1."""
        table = self.transitions()
        wrong = ~table["correct"]
        failed = table["failures"] > 0
        failing = table[wrong | failed]
        return failing.reset_index(drop=True)

    def states(self) -> pd.DataFrame:
        """How long each state holds, what it ends in, and what is proved.

        Returns
        -------
        DataFrame
            With the columns state, memory, holds_steps, lost, holds_noise_steps, lost_noise,
            attractor, oscillates, proved and proved_radius.
        """
        proved = [proof is not None for proof in self.proofs]
        radii = [np.nan if proof is None else proof.radius for proof in self.proofs]
        oscillates = self.attractor >= len(self.attractors.points)
        return pd.DataFrame(
            {
                "state": self.machine.states,
                "memory": self.machine.memories,
                "holds_steps": self.holds,
                "lost": self.lost,
                "holds_noise_steps": self.holds_noise,
                "lost_noise": self.lost_noise,
                "attractor": self.attractor,
                "oscillates": oscillates,
                "proved": proved,
                "proved_radius": radii,
            }
        )

    @property
    def statement(self) -> str:
        """What is known, in words, level by level."""
        memories = self.machine.memories
        parts = []
        for which, name in [(memories, "memory"), (~memories, "neutral")]:
            if which.any():
                parts.append(self._statement(which, name))
        if self.others:
            parts.append(self._statement_of_others())
        return " ".join(parts)

    def _statement(self, which: np.ndarray, name: str) -> str:
        """What is known of the memory states, or the neutral ones."""
        words = [self._statement_of_centers(which, name)]
        if self.samples[which].sum():
            words.append(self._statement_of_samples(which))
        held = int((~self.lost[which]).sum())
        held_noise = int((~self.lost_noise[which]).sum())
        proved = 0
        for state in np.flatnonzero(which):
            proved += self.proofs[state] is not None
        words.append(
            f"{held} held for {self.hold_limit} steps of silence, {held_noise} with noise, "
            f"{proved} proved to hold for ever without (T2)"
        )
        return "; ".join(words) + "."

    def _statement_of_centers(self, which: np.ndarray, name: str) -> str:
        own = self.correct[which]
        smallest = self.margins[which].min()
        return (
            f"{int(which.sum())} {name} states: {int(own.sum())} of {int(own.size)} transitions "
            f"correct from the centres without noise (T0, smallest margin {smallest:.2f})"
        )

    def _statement_of_samples(self, which: np.ndarray) -> str:
        samples = int(self.samples[which].sum())
        fewest = int(self.samples[which].min())
        failures = int(self.failures[which].sum())
        bad = int((self.failures[which] > 0).sum())
        where = ""
        if failures:
            where = f"in {bad} transitions"
        elif fewest:
            where = f"at most 3/{fewest} a transition at 95 %"
        return f"with noise {failures} failures in {samples} samples, {where} (T1)"

    def _statement_of_others(self) -> str:
        count = len(self.others)
        first = [self._read_out(number) for number in self.others[:6]]
        are = "attractors are" if count > 1 else "attractor is"
        more = ", …" if count > 6 else ""
        return (
            f"{count} {are} none that a state's centre was seen to go to "
            f"(read-outs {', '.join(first)}{more})."
        )

    def _read_out(self, number: int) -> str:
        values = [f"{value:.2f}" for value in self.attractors.output(number)]
        return "(" + " ".join(values) + ")"


@kept
@one_blas_thread
@takes(network=one_network, task=as_task, points=optional(points_or_attractors))
def automaton(
    network: Network,
    task: Task,
    n_samples: int = 1000,
    seed: int = 0,
    *,
    points: FixedPoints | Attractors | None = None,
    hold_steps: int = 100_000,
) -> Automaton:
    """Test a network as the machine of its task (`task.machine()`), transition by transition.

    Parameters
    ----------
    network : Network
        Of any model.
    task : Task
        One that is a machine.
    n_samples : int
        Noisy samples of each transition (T1); 0 for none.
    seed : int
        Of the samples, of the push off each centre and of the search for fixed points.
    points : FixedPoints or Attractors, optional
        The network's fixed points or attractors without input, when they are known; they are
        searched for otherwise.
    hold_steps : int
        How long states are watched in silence.

    Returns
    -------
    Automaton
        The transitions and states, with the evidence of each.

    Raises
    ------
    InvalidSetting
        For a task without a machine, a network of other inputs or outputs, or numbers that are not
        allowed.

    Notes
    -----
    The definition of the machine's states follows from the read-out alone: each channel says the
    nearest of its levels. Proofs (T2) exist for rate networks alone; T0 and T1 are for any model.
    """
    whole_number("n_samples", n_samples, least=0)
    whole_number("hold_steps", hold_steps)
    machine = _checked_machine(network, task)
    if points is None:
        points = fixed_points(network, seed=seed, task=task)
    step = network_step(network, None)
    rng = np.random.default_rng(seed)
    centers = state_centers(step, machine)
    # nothing stays exactly on an unstable point: the smallest push shows where a centre goes
    pushed = centers + PUSH * rng.normal(size=centers.shape)
    found = attractors(points, pushed)
    attractor = found.follow(pushed, round(FOLLOWED / step.leak))
    reached, margins = from_centers(step, machine, centers)
    blocks = blocks_of(step, machine, network)
    # the watch with noise is one long series of steps, for one core: the samples use the others.
    # Its noise comes from generators of its own, which no draw of the samples changes
    with ThreadPoolExecutor(1) as beside:
        watching = beside.submit(watched, blocks, centers, hold_steps, rng)
        samples, failures, worst_margins = sampled(blocks, centers, n_samples, rng)
        noisy = watching.result()
    regions = regions_of_meaning(found.points, machine, attractor)
    proved = proved_entries(step, machine, centers, regions)
    quiet = watched(
        blocks,
        centers,
        hold_steps,
        None,
        regions=regions,
        skipped=proved,
    )
    return Automaton(
        machine=machine,
        attractors=found,
        centers=centers,
        attractor=attractor,
        reached=reached,
        margins=margins,
        samples=samples,
        failures=failures,
        worst_margins=worst_margins,
        holds=np.where(proved, np.inf, quiet.steps),
        lost=quiet.lost,
        holds_noise=noisy.steps,
        lost_noise=noisy.lost,
        hold_limit=int(hold_steps),
        proofs=_proofs(regions, proved),
        others=tuple(number for number in found.numbers if number not in attractor),
    )


def _proofs(
    regions: Sequence[Ellipsoid | None],
    proved: np.ndarray,
) -> tuple[Ellipsoid | None, ...]:
    """The regions of the states whose centre is proved to come into them."""
    proofs = []
    for region, known in zip(regions, proved, strict=True):
        proofs.append(region if known else None)
    return tuple(proofs)


def _checked_machine(network: Network, task: Task) -> Machine:
    """The machine of the task, which has the network's inputs and outputs."""
    if not isinstance(network, Network):
        raise InvalidSetting(f"network is of type {type(network).__name__}; a Network is needed")
    machine = task.machine()
    check_meeting(network.model, task)
    n_inputs = machine.pulses.shape[-1]
    n_outputs = machine.outputs.shape[-1]
    if (n_inputs, n_outputs) != (network.n_inputs, network.n_outputs):
        raise InvalidSetting(
            f"network has {network.n_inputs} inputs and {network.n_outputs} outputs; "
            f"the task has {n_inputs} and {n_outputs}"
        )
    return machine
