"""Is a network the machine that its task asks for? Transition by transition, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from attractory._arguments import optional, takes
from attractory._cores import one_blas_thread, spread
from attractory._errors import InvalidSetting, whole_number
from attractory._result import Result
from attractory.analysis.dynamics._attractors import Attractors, attractors, points_or_attractors
from attractory.analysis.dynamics._blocks import ROWS, Blocks, blocks_of
from attractory.analysis.dynamics._find_points import fixed_points
from attractory.analysis.dynamics._fixed_points import FixedPoints
from attractory.analysis.dynamics._holds import proved_entries, regions_of_meaning, watched
from attractory.analysis.dynamics._invariant import Ellipsoid
from attractory.analysis.dynamics._step import NetworkStep, network_step
from attractory.models import Network, check_meeting, one_network
from attractory.runs import kept
from attractory.tasks import Machine, Task, as_task

FOLLOWED = 10_000  # time constants for which a centre is followed to its attractor
PUSH = 1e-6  # on each unit, off a centre that may be an unstable point
CANDIDATES = 8  # starts for each sample wanted, where samples of a state are hard to come by


@dataclass(frozen=True, repr=False)
class Automaton(Result):
    """A network beside the machine of its task. Arrays (state, input) are in the machine's order.

    A block is an input's pulse and the shortest silence that the task allows after it; the outputs
    are read at its end. Evidence, by level, never mixed:

    T0, from the centre of each state, without noise: reached (index of the state read, -1: none),
    margins (how clearly the outputs say the state asked for; below 0 they say another).
    T1, from states of the same meaning after random histories, with the task's noise, in float32:
    samples, failures (how many), worst_margins (the smallest of all samples; NaN where there is
    none).
    T2, proved: proofs[q] is an ellipsoid around a stable fixed point; all of it means the state,
    nothing leaves it in silence, and the centre comes into it and means the state at every step on
    the way, every rounding bounded (None where there is no such proof).

    centers (state, unit): the state after it was written and held for as long as the task may ask.
    attractor (state,): the number of the attractor that the centre, pushed by 1e-6, was seen to go
    to in silence (-1: to none of those known, in the time given).
    holds (state,): the step of silence, without noise, at which the centre first means another
    state (0: it does from the start) where `lost` says so; else the end of the watch, `hold_limit`;
    inf where the state is proved to hold for ever. Watched in float64. lost (state,): the state was
    seen to lose its meaning. holds_noise, lost_noise (state,): the same with the task's noise on
    the inputs, one history. others: the numbers of attractors that no state's centre was seen to go
    to.
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
        """The state reached from each state (row) by each input (column), T0; '?' for none."""
        names = np.array([*self.machine.states, "?"])
        return pd.DataFrame(
            names[self.reached],
            index=pd.Index(self.machine.states, name="state"),
            columns=pd.Index(self.machine.inputs, name="input"),
        )

    @property
    def correct(self) -> np.ndarray:
        """(state, input): the transition is the machine's, from the centre without noise (T0)."""
        return self.reached == self.machine.transitions

    def transitions(self) -> pd.DataFrame:
        """A row for each transition with its evidence of levels T0 and T1."""
        q, s = (index.ravel() for index in np.indices(self.reached.shape))
        names = np.array([*self.machine.states, "?"])
        return pd.DataFrame(
            {
                "state": names[q],
                "input": np.array(self.machine.inputs)[s],
                "asked": names[self.machine.transitions.ravel()],
                "reached": names[self.reached.ravel()],
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
        return table[~table["correct"] | (table["failures"] > 0)].reset_index(drop=True)

    def states(self) -> pd.DataFrame:
        """A row for each state: how long it holds, what it ends in, and what is proved."""
        return pd.DataFrame(
            {
                "state": self.machine.states,
                "memory": self.machine.memories,
                "holds_steps": self.holds,
                "lost": self.lost,
                "holds_noise_steps": self.holds_noise,
                "lost_noise": self.lost_noise,
                "attractor": self.attractor,
                "oscillates": self.attractor >= len(self.attractors.points),
                "proved": [proof is not None for proof in self.proofs],
                "proved_radius": [np.nan if p is None else p.radius for p in self.proofs],
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
            parts.append(
                f"{len(self.others)} attractor{'s are' if len(self.others) > 1 else ' is'} none "
                "that a state's centre was seen to go to "
                f"(read-outs {', '.join(self._read_out(number) for number in self.others[:6])}"
                f"{', …' if len(self.others) > 6 else ''})."
            )
        return " ".join(parts)

    def _statement(self, which: np.ndarray, name: str) -> str:
        correct, count = int(self.correct[which].sum()), int(self.correct[which].size)
        words = [
            f"{int(which.sum())} {name} states: {correct} of {count} transitions correct from the "
            f"centres without noise (T0, smallest margin {self.margins[which].min():.2f})"
        ]
        samples, failures = int(self.samples[which].sum()), int(self.failures[which].sum())
        if samples:
            fewest = int(self.samples[which].min())
            bad = int((self.failures[which] > 0).sum())
            bound = f"at most 3/{fewest} a transition at 95 %" if fewest and not failures else ""
            words.append(
                f"with noise {failures} failures in {samples} samples, "
                + (f"in {bad} transitions" if failures else f"{bound}")
                + " (T1)"
            )
        proved = sum(self.proofs[q] is not None for q in np.flatnonzero(which))
        words.append(
            f"{int((~self.lost[which]).sum())} held for {self.hold_limit} steps of silence, "
            f"{int((~self.lost_noise[which]).sum())} with noise, "
            f"{proved} proved to hold for ever without (T2)"
        )
        return "; ".join(words) + "."

    def _read_out(self, number: int) -> str:
        return "(" + " ".join(f"{z:.2f}" for z in self.attractors.output(number)) + ")"


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

    n_samples: noisy samples of each transition (T1; 0 for none). points: its fixed points or
    attractors without input, when they are known; they are searched for otherwise. hold_steps: how
    long states are watched in silence. The definition of the machine's states follows from the
    read-out alone: each channel says the nearest of its levels. Proofs (T2) exist for rate networks
    alone; T0 and T1 are for any model.

    Raises InvalidSetting for a task without a machine, a network of other inputs or outputs, or
    numbers that are not allowed.
    """
    whole_number("n_samples", n_samples, least=0)
    whole_number("hold_steps", hold_steps)
    if not isinstance(network, Network):
        raise InvalidSetting(f"network is of type {type(network).__name__}; a Network is needed")
    machine = task.machine()
    check_meeting(network.model, task)
    wanted = (machine.pulses.shape[-1], machine.outputs.shape[-1])
    if wanted != (network.n_inputs, network.n_outputs):
        raise InvalidSetting(
            f"network has {network.n_inputs} inputs and {network.n_outputs} outputs; "
            f"the task has {wanted[0]} and {wanted[1]}"
        )
    if points is None:
        points = fixed_points(network, seed=seed, task=task)
    step = network_step(network, None)
    rng = np.random.default_rng(seed)
    centers = _centers(step, machine)
    # nothing stays exactly on an unstable point: the smallest push shows where a centre goes
    pushed = centers + PUSH * rng.normal(size=centers.shape)
    found = attractors(points, pushed)
    blocks = blocks_of(step, machine, network)
    reached, margins = _from_centers(step, machine, centers)
    samples, failures, worst = _sampled(blocks, centers, n_samples, rng)
    attractor = found.follow(pushed, round(FOLLOWED / step.leak))
    regions = regions_of_meaning(found.points, machine, attractor)
    proved = proved_entries(step, machine, centers, regions)
    quiet = watched(blocks, centers, hold_steps, None, regions=regions, skipped=proved)
    noisy = watched(blocks, centers, hold_steps, rng)
    return Automaton(
        machine=machine,
        attractors=found,
        centers=centers,
        attractor=attractor,
        reached=reached,
        margins=margins,
        samples=samples,
        failures=failures,
        worst_margins=worst,
        holds=np.where(proved, np.inf, quiet.steps),
        lost=quiet.lost,
        holds_noise=noisy.steps,
        lost_noise=noisy.lost,
        hold_limit=int(hold_steps),
        proofs=tuple(
            region if known else None for region, known in zip(regions, proved, strict=True)
        ),
        others=tuple(number for number in found.numbers if number not in attractor),
    )


def _centers(step: NetworkStep, machine: Machine) -> np.ndarray:
    """Each state as it is after it was written and held: (state, unit).

    Written from the state 0 of the network by an input that leads there from the machine's start,
    or from every state; else by the shortest chain of inputs.
    """
    count = len(machine.states)
    centers = np.full((count, step.units), np.nan)
    known = np.zeros(count, bool)
    if machine.start is not None:
        centers[machine.start], known[machine.start] = 0.0, True
        sources = [(machine.start, np.zeros(step.units))]
    else:
        for s, column in enumerate(machine.transitions.T):
            target = int(column[0])
            if (column == target).all() and not known[target]:
                centers[target] = _block(step, machine, np.zeros((1, step.units)), [s])[0]
                known[target] = True
        sources = [(int(q), centers[q]) for q in np.flatnonzero(known)]
    while not known.all() and sources:
        following = []
        for q, state in sources:
            for s, target in enumerate(machine.transitions[q]):
                if not known[target]:
                    centers[target] = _block(step, machine, state[None], [s])[0]
                    known[target] = True
                    following.append((int(target), centers[target]))
        sources = following
    if not known.all():
        missing = machine.states[int(np.flatnonzero(~known)[0])]
        raise InvalidSetting(f"task: no input leads its machine to the state {missing!r}")
    for _ in range(machine.hold):
        centers = step(centers)
    return centers


def _block(step: NetworkStep, machine: Machine, states: np.ndarray, inputs: Any) -> np.ndarray:
    """States (row, unit) after a block of the input of each row, without noise."""
    for pulse in np.moveaxis(machine.pulses[inputs], 1, 0):
        states = step.driven(states, pulse)
    for _ in range(machine.rest):
        states = step(states)
    return states


def _from_centers(
    step: NetworkStep, machine: Machine, centers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T0: what each block leads to from each centre, and how clearly."""
    q, s = (index.ravel() for index in np.indices(machine.transitions.shape))
    parts = np.array_split(np.arange(len(q)), max(1, len(q) // ROWS))
    ends = spread(lambda part: _block(step, machine, centers[q[part]], s[part]), parts)
    outputs = step.outputs(np.concatenate(ends))
    shape = machine.transitions.shape
    margins = machine.margins(outputs, machine.transitions.ravel())
    return machine.decoded(outputs).reshape(shape), margins.reshape(shape)


def _sampled(
    blocks: Blocks, centers: np.ndarray, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T1: samples, failures, worst margins, each (state, input)."""
    machine = blocks.machine
    shape = machine.transitions.shape
    samples, failures = np.zeros(shape, int), np.zeros(shape, int)
    worst = np.full(shape, np.nan)
    if n == 0:
        return samples, failures, worst
    pools = [center[None].astype(np.float32) for center in centers]
    for _ in range(2):  # histories of two blocks, each held for a random time
        pools = _histories(blocks, pools, n, rng)
    for q, pool in enumerate(pools):
        if not len(pool):
            continue
        rows = np.tile(pool, (shape[1], 1))
        inputs = np.repeat(np.arange(shape[1]), len(pool))
        ends = blocks.run(rows, inputs, int(rng.integers(2**62)))
        asked = machine.transitions[q, inputs]
        margins = machine.margins(blocks.outputs(ends), asked).reshape(shape[1], -1)
        samples[q] = len(pool)
        failures[q] = (~(margins > 0)).sum(axis=1)  # also what is not a number
        worst[q] = margins.min(axis=1)
    return samples, failures, worst


def _histories(
    blocks: Blocks, pools: list[np.ndarray], n: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Up to n states of each meaning: after a noisy block that leads there, held for a while."""
    machine = blocks.machine
    made: list[np.ndarray] = []
    for target in range(len(machine.states)):
        sources = np.argwhere(machine.transitions == target)
        sources = sources[[len(pools[q]) > 0 for q in sources[:, 0]]]
        kept = np.empty((0, blocks.units), np.float32)
        for attempt in range(CANDIDATES if len(sources) else 0):
            wanted = n - len(kept)
            chosen = sources[rng.integers(len(sources), size=wanted)]
            states = np.stack([pools[q][rng.integers(len(pools[q]))] for q in chosen[:, 0]])
            extra = rng.integers(0, max(1, machine.hold - machine.rest + 1), size=wanted)
            ends = blocks.run(states, chosen[:, 1], int(rng.integers(2**62)), extra)
            correct = machine.decoded(blocks.outputs(ends)) == target
            kept = np.concatenate([kept, ends[correct]])
            if len(kept) == n or (attempt and not len(kept)):
                break
        made.append(kept)
    return made
